//! The recordings that the sandbox does not cover, each with its reason.

/// Recordings and why they are not replayed.
pub(super) const ALL: &[(&[u32], &str)] = &[
    (&[5, 6, 7, 9, 12, 13, 151, 152, 154, 155, 156, 158], "users, organisations and keys"),
    (&[159, 160, 161], "a member's key: the sandbox has one key, the owner's"),
    (&[41, 149], "application.search: unreliable on the real platform, so no client should use it"),
    (&[73], "application.readTraefikConfig"),
    (&[77], "deployment.allByType: the same as deployment.all"),
    (&[125, 1360], "application.start without a service: its message names the service"),
    (&[91, 232], "application.readLogs: the sandbox's containers have no logs"),
    (
        &[122],
        "an update that the swarm rolled back: recording day-two 375 shows each moment of one",
    ),
    (&[127, 128, 135, 233], "ports, and folders of the host"),
    (&[139], "environment.remove"),
    (&[157], "the tRPC endpoint of the platform's own page"),
    (&[173, 174], "calls that cannot cancel a deployment"),
    (&[223], "settings.updateBuildsConcurrency"),
    (&[1400], "dockerVolume.getVolumesSize: takes long on the real platform, and nothing needs it"),
    (&[1405], "dockerVolume.listVolumeFiles: needs an image of Docker Hub"),
    (&[234], "placement by resources"),
];
