//! The sentences of remedies, without a full stop.

use super::fault;
use crate::remedy::{Named, Remedy};

/// The condition under which an application may be deleted manually.
const SAFELY: &str = "while no deployment of it is running or queued there, and Docker answers";

/// Returns the sentence, or the command, that an operator reads.
pub fn sentence(remedy: &Remedy) -> String {
    use Remedy as R;
    match remedy {
        R::RemoveService { service } => format!("docker service rm {service}"),
        R::RemoveVolume { volume } => format!("docker volume rm {volume}"),
        R::DeleteDomain(domain) => format!("Delete the domain {domain} in Dokploy"),
        R::DeleteApplication(application) => {
            format!("Delete the application {application} in Dokploy, {SAFELY}")
        }
        R::DeleteProject(project) => format!("Delete the project {project} in Dokploy"),
        R::EmptyProject(project) => format!(
            "Delete what is in the project {project} in Dokploy, {SAFELY}, and then the \
             project: in the other order its container is left behind"
        ),
        R::FindOwner(project) => format!(
            "The project {project} contains resources that the portal did not create: find \
             their owner. The portal removes the project once it is empty"
        ),
        R::MarkApplication { named, marker } => mark("application", named, marker),
        R::MarkProject { named, marker } => mark("project", named, marker),
        R::MoveBack { application, project } => format!(
            "The application {application} was moved out of the project {project} in Dokploy: move \
             it back, and the portal removes it, or delete it where it is, {SAFELY}"
        ),
        R::WithApplication { remedy } => {
            format!("It is removed with its application. {}", sentence(remedy))
        }
        R::ReplaceRouteFile { path, host, content } => format!(
            "The reverse proxy's file {path} still routes {host}, although its application is \
             deleted: delete this file on the Dokploy server, or replace its content with: {content}"
        ),
        R::CheckProxy { host } => format!(
            "{host} still answers although no route to it exists: check the reverse proxy's log \
             for a file that it cannot read. Until that file is repaired, the proxy applies no \
             route changes"
        ),
        R::AlreadyGone => String::from("Nothing to do: it no longer exists"),
        R::AwaitPlatform { problem } => {
            format!("Waiting for Dokploy to work for the portal again: {}", fault::advice(*problem))
        }
        R::AwaitAnswer { failure } => {
            format!("Waiting for Dokploy to answer: {}", fault::call_failed(*failure))
        }
        R::AwaitDocker => String::from(
            "Waiting for Docker on the Dokploy server to answer: delete nothing until then, or a \
             container is left behind",
        ),
        R::AwaitJob => String::from(
            "Waiting for Dokploy's deploy job to end: delete nothing until then, or its container \
             is left behind",
        ),
        R::AwaitContainer { container } => {
            format!("Waiting for Docker to stop and remove the container {container}")
        }
        R::AwaitCleanUp { marker: None } => String::from(
            "Waiting for the portal's next attempt, which checks what exists: see its log",
        ),
        R::AwaitCleanUp { marker: Some(marker) } => format!(
            "Waiting for the portal's next attempt, which removes everything with the description \
             {marker} on the platform: see its log"
        ),
        R::Sentence(older) => older.clone(),
    }
}

fn mark(noun: &str, named: &Named, marker: &str) -> String {
    format!(
        "The {noun} {named} no longer has the portal's marker, so the portal does not change \
         it: set its description to {marker} again, and the portal removes it"
    )
}
