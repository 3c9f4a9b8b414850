//! The recordings that the sandbox does not cover, each with its reason.

/// Recordings and why they are not replayed.
pub(super) const ALL: &[(&[u32], &str)] = &[
    (&[5, 6, 7, 9, 12, 13, 151, 152, 154, 155, 156, 158], "users, organisations and keys"),
    (&[159, 160, 161], "a member's key: the sandbox has one key, the owner's"),
    (&[41, 149], "application.search: unreliable on the real platform, so no client should use it"),
    (&[73], "application.readTraefikConfig"),
    (&[77], "deployment.allByType: the same as deployment.all"),
    (&[125], "application.start without a service: its message names the service"),
    (&[91, 232], "application.readLogs: the sandbox's containers have no logs"),
    (&[122], "an update that the swarm rolled back"),
    (&[127, 128, 129, 135, 233], "ports and mounts"),
    (&[139], "environment.remove"),
    (&[157], "the tRPC endpoint of the platform's own page"),
    (&[173, 174], "calls that cannot cancel a deployment"),
    (&[223], "settings.updateBuildsConcurrency"),
    (&[1101, 1102, 1106, 1108, 1109, 1110, 1122, 1195, 1196, 1395], "mounts and volumes"),
    (&[1396, 1397, 1398, 1399, 1400, 1401, 1402, 1403, 1404, 1405], "mounts and volumes"),
    (&[1407, 1410, 1422, 1425], "mounts and volumes"),
    (&[234], "placement by resources"),
];
