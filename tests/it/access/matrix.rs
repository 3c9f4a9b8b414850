//! The matrix: the status that each kind of caller gets at each route.

use ai_stack_deployer::http::routes;
use axum::http::Method;
use domain::deployment::DeploymentId;

use super::world::{Who, World};

/// A request, and the expected status for each of [`Who::ALL`].
struct Row {
    route: String,
    method: Method,
    path: &'static str,
    body: &'static str,
    expected: Vec<u16>,
}

/// The method, the address and the body, and the statuses for: anonymous, owner, other, read token,
/// deploy token, operator, revoked token. `{active}`, `{ended}` and `{live}` stand for the ids of
/// Alice's operations, `livey` for the name of her stack.
const MATRIX: &str = r#"
GET    /livez                          -                         200 200 200 200 200 200 200
GET    /readyz                         -                         200 200 200 200 200 200 200
GET    /health                         -                         200 200 200 200 200 200 200
GET    /metrics                        -                         404 404 404 404 404 404 404
GET    /api/openapi.json               -                         200 200 200 200 200 200 200
GET    /api/docs                       -                         200 200 200 200 200 200 200
GET    /sign-in                        -                         200 302 302 200 200 302 200
GET    /                               -                         303 200 200 200 200 200 401
GET    /api/check/zoe                  -                         401 200 200 200 200 200 401
GET    /api/fn/check_name?name=zoe     -                         401 200 200 200 200 200 401
POST   /api/deploy                     {"name":"zoe"}            401 201 201 403 201 201 401
POST   /api/fn/start_deployment        name=zoe                  401 200 200 403 200 200 401
GET    /api/deployment/{active}        -                         401 200 404 200 200 200 401
GET    /deployments/{active}           -                         303 200 404 200 200 200 401
GET    /api/status/{ended}?after=999   -                         401 204 404 204 204 204 401
POST   /api/deployment/{active}/cancel -                         401 202 404 403 202 202 401
POST   /api/fn/cancel_deployment       id={active}               401 200 404 403 200 200 401
POST   /api/deployment/{ended}/retry   -                         401 201 404 403 201 201 401
POST   /api/fn/retry_deployment        id={ended}                401 200 404 403 200 200 401
GET    /api/operations                 -                         401 200 200 200 200 200 401
GET    /api/operations/{active}        -                         401 200 404 200 200 200 401
GET    /api/stacks                     -                         401 200 200 200 200 200 401
GET    /api/stacks/-/events            -                         401 200 200 200 200 200 401
GET    /api/stacks/livey               -                         401 200 404 200 200 200 401
GET    /api/stacks/livey?id={live}     -                         401 200 404 200 200 200 401
POST   /api/stacks/livey/stop          -                         401 202 404 403 202 202 401
POST   /api/stacks/livey/start         -                         401 200 404 403 200 200 401
POST   /api/stacks/livey/restart       -                         401 202 404 403 202 202 401
GET    /api/stacks/livey/logs          -                         401 409 404 403 409 409 401
GET    /api/stacks/livey/logs?id={live} -                        401 409 404 403 409 409 401
GET    /api/stacks/livey/logs/stream   -                         401 409 404 403 409 409 401
GET    /api/stacks/livey/history       -                         401 200 404 403 200 200 401
GET    /api/stacks/livey/usage?range=7d -                        401 200 404 403 200 200 401
GET    /api/stacks/livey/events?follow=false -                   401 200 404 403 200 200 401
PATCH  /api/stacks/livey               {"label":"Mine"}          401 200 404 403 200 200 401
POST   /api/stacks/livey/plan          {}                        401 200 404 403 200 200 401
POST   /api/stacks/livey/rollback      {"revision":1}            401 200 404 403 200 200 401
GET    /api/stacks/livey/revisions     -                         401 200 404 403 200 200 401
DELETE /api/stacks/livey               -                         401 202 404 403 202 202 401
DELETE /api/stacks/livey?id={live}     -                         401 202 404 403 202 202 401
DELETE /api/stack/livey?keepData=0     -                         401 202 404 403 202 202 401
GET    /api/data                       -                         401 200 200 200 200 200 401
DELETE /api/data/dat_none              -                         401 404 404 403 404 404 401
POST   /api/fn/remove_stack            name=livey&id={live}      401 200 404 403 200 200 401
GET    /api/templates                  -                         401 200 200 200 200 200 401
GET    /api/templates/default/schema   -                         401 200 200 200 200 200 401
GET    /templates/default/icon.svg     -                         303 404 404 404 404 404 401
GET    /new                            -                         303 200 200 200 200 200 401
GET    /new/default                    -                         303 200 200 200 200 200 401
POST   /new/default                    name=zoe                  303 303 303 403 303 303 401
POST   /new/default/check              name=zoe                  303 200 200 200 200 200 401
GET    /stacks/livey/logs              -                         303 200 404 403 200 200 401
GET    /stacks/livey                   -                         303 200 404 403 200 200 401
GET    /stacks/livey?id={live}         -                         303 200 404 403 200 200 401
GET    /stacks/livey/history           -                         303 200 404 403 200 200 401
GET    /stacks/livey/settings          -                         303 200 404 403 200 200 401
POST   /stacks/livey/settings          revision=1                303 200 404 403 200 200 401
POST   /stacks/livey/settings/check    revision=1                303 200 404 403 200 200 401
POST   /stacks/livey/label             label=Mine                303 303 303 403 303 303 401
POST   /stacks/livey/rollback          to=1&revision=1           303 303 303 403 303 303 401
POST   /stacks/livey/stop              -                         303 303 303 403 303 303 401
POST   /stacks/livey/start             -                         303 303 303 403 303 303 401
POST   /stacks/livey/restart           -                         303 303 303 403 303 303 401
POST   /stacks/livey/keep              -                         303 303 303 403 303 303 401
POST   /stacks/livey/remove            -                         303 303 303 403 303 303 401
GET    /data                           -                         303 200 200 200 200 200 401
POST   /data/dat_none/delete           -                         303 303 303 403 303 303 401
POST   /deployments/{live}/reveal      -                         303 303 303 403 403 303 401
GET    /account                        -                         303 200 200 403 403 200 401
POST   /account/tokens                 name=ci&scope=read&days=7 303 303 303 403 403 303 401
POST   /account/tokens/revoke          id=read                   303 303 303 403 403 303 401
POST   /account/sign-out-everywhere    -                         303 303 303 403 403 303 401
GET    /admin                          -                         303 404 404 403 403 200 401
GET    /admin/audit                    -                         303 404 404 403 403 200 401
POST   /admin/stuck/retry              id={ended}                303 404 404 403 403 303 401
POST   /admin/people/sign-out          id=person:nobody          303 404 404 403 403 303 401
POST   /auth/sign-out                  -                         303 303 303 303 303 303 303
"#;

/// Returns the rows of the matrix.
fn matrix() -> impl Iterator<Item = Row> {
    MATRIX.trim().lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [method, path, body, expected @ ..] = &words[..] else { panic!("{line}") };
        let mut route = path.split('?').next().unwrap().to_owned();
        for (value, parameter) in [
            ("active", "id"),
            ("ended", "id"),
            ("/zoe", "/{name}"),
            ("/livey", "/{name}"),
            ("/new/default", "/new/{template}"),
            ("/default/", "/{id}/"),
            ("{live}", "{id}"),
            ("/dat_none", "/{id}"),
        ] {
            route = route.replace(value, parameter);
        }
        let method = method.parse().unwrap();
        let body = if *body == "-" { "" } else { *body };
        let expected = expected.iter().map(|status| status.parse().unwrap()).collect();
        Row { route, method, path, body, expected }
    })
}

impl Row {
    fn filled(text: &str, world: &World) -> String {
        let ids: [(&str, &DeploymentId); 3] =
            [("{active}", &world.active), ("{ended}", &world.ended), ("{live}", &world.live)];
        ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id.as_str()))
    }

    /// Sends the request as each caller, each to a new portal.
    async fn statuses(&self) -> Vec<u16> {
        let mut statuses = Vec::new();
        for who in Who::ALL {
            let world = World::start().await;
            let (path, body) = (Self::filled(self.path, &world), Self::filled(self.body, &world));
            let reply = world.send(who, self.method.clone(), &path, &body).await;
            statuses.push(reply.status.as_u16());
        }
        statuses
    }
}

#[tokio::test]
async fn every_route_answers_every_caller_as_the_matrix_says() {
    println!("{:<48}{:?}", "", Who::ALL);
    let mut wrong = Vec::new();
    for row in matrix() {
        let statuses = row.statuses().await;
        println!("{:<8}{:<40}{statuses:?}", row.method.as_str(), row.path);
        if statuses != row.expected {
            wrong
                .push(format!("{} {}: {statuses:?}, not {:?}", row.method, row.path, row.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_route_that_needs_a_permission_is_in_the_matrix() {
    let elsewhere = ["/auth/sign-in", "/auth/callback", "/pkg/{*path}"];
    for (method, route, needs_something) in routes() {
        let is_tested = matrix().any(|row| (&row.method, &*row.route) == (method, route));
        assert!(
            is_tested || !needs_something || elsewhere.contains(&route),
            "{method} {route} is not in the matrix"
        );
    }
}

#[tokio::test]
async fn an_operation_of_another_owner_looks_like_one_that_does_not_exist() {
    let world = World::start().await;
    let nothing = DeploymentId::from_random(7);
    for (method, path) in [
        (Method::GET, "/api/deployment/{}"),
        (Method::GET, "/api/status/{}"),
        (Method::POST, "/api/deployment/{}/cancel"),
        (Method::POST, "/api/deployment/{}/retry"),
        (Method::GET, "/deployments/{}"),
    ] {
        let at = |id: &DeploymentId| path.replace("{}", id.as_str());
        let theirs = world.send(Who::Other, method.clone(), &at(&world.active), "").await;
        let none = world.send(Who::Other, method, &at(&nothing), "").await;
        let shown = |body: &str, id: &DeploymentId| {
            let page = body.split_once("<main").map_or(body, |(_, page)| page);
            page.split("</main>").next().unwrap_or_default().replace(id.as_str(), "")
        };
        assert_eq!(theirs.status, none.status, "{path}");
        let (theirs, none) = (shown(&theirs.body, &world.active), shown(&none.body, &nothing));
        assert_eq!(theirs, none, "{path}");
    }
    let listed = world.send(Who::Other, Method::GET, "/api/stacks", "").await;
    assert_eq!(listed.json()["stacks"], serde_json::json!([]));
}
