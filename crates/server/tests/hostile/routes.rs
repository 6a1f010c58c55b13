//! The routes, and in which order each looks at what.

use crate::bodies::Body;
use crate::matrix::Who;

/// A check of a route, in the wire's order (apps-framework.md section 2).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gate {
    /// At most so many bytes arrive whole: else 413, or 400 when cut off.
    Size(usize),
    /// Somebody: else 401.
    User,
    /// An App's token: else 401.
    App,
    /// `manage_system`: else 401.
    Admin,
    /// `manage_system`, or the App's bot about its own App: else 401.
    AdminOrBot,
    /// Not a session of an App: else this status.
    Person(u16),
    /// One JSON value: else 400.
    Json,
    /// A JSON value that fits the route's object: else 400.
    Object,
}

/// A route with its checks, and the statuses of whoever passes them all.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) gates: &'static [Gate],
    pub(crate) done: &'static [u16],
}

const RECORD: usize = 8192;
const CALL: usize = 10 << 20;
const V4: usize = 300 << 10;

macro_rules! api {
    ($path:literal) => {
        concat!("/plugins/com.mattermost.apps", $path)
    };
}

/// Every route but the pages for people.
pub(crate) const ROUTES: &[Route] = {
    use Gate::{Admin, AdminOrBot, App, Json, Object, Person, Size, User};
    &[
        Route {
            name: "R01 PUT",
            method: "PUT",
            path: api!("/api/v1/oauth2/app"),
            gates: &[Size(RECORD), User, AdminOrBot, App, Object],
            done: &[200],
        },
        Route {
            name: "R01 POST",
            method: "POST",
            path: api!("/api/v1/oauth2/app"),
            gates: &[Size(RECORD), User, AdminOrBot, App, Object],
            done: &[200],
        },
        Route {
            name: "R02 PUT",
            method: "PUT",
            path: api!("/api/v1/oauth2/user"),
            gates: &[Size(RECORD), User, App, Json],
            done: &[200],
        },
        Route {
            name: "R02 POST",
            method: "POST",
            path: api!("/api/v1/oauth2/user"),
            gates: &[Size(RECORD), User, App, Json],
            done: &[200],
        },
        Route {
            name: "R03",
            method: "GET",
            path: api!("/api/v1/oauth2/user"),
            gates: &[User, App],
            done: &[200],
        },
        Route {
            name: "disconnect",
            method: "DELETE",
            path: api!("/api/v1/oauth2/user"),
            gates: &[User, App],
            done: &[200],
        },
        Route {
            name: "R04",
            method: "GET",
            path: api!("/apps/hello/oauth2/remote/connect"),
            gates: &[User, Person(403)],
            done: &[307],
        },
        Route {
            name: "R04 form",
            method: "POST",
            path: api!("/apps/hello/oauth2/remote/connect"),
            gates: &[User],
            done: &[400, 403],
        },
        Route {
            name: "R05",
            method: "GET",
            path: api!("/apps/hello/oauth2/remote/complete"),
            gates: &[User, Person(403)],
            done: &[401],
        },
        Route {
            name: "R06",
            method: "POST",
            path: api!("/api/v1/call"),
            // No body in the table names an App.
            gates: &[Size(CALL), Object],
            done: &[400],
        },
        Route {
            name: "R18",
            method: "POST",
            path: api!("/api/v1/update-app-listing"),
            gates: &[Size(CALL), Object, Admin],
            done: &[400],
        },
        Route {
            name: "R19",
            method: "POST",
            path: api!("/api/v1/install-app"),
            gates: &[Size(CALL), Object, User, Admin],
            done: &[404],
        },
        Route {
            name: "R20",
            method: "POST",
            path: api!("/api/v1/uninstall-app"),
            gates: &[Size(CALL), Object, User, Admin],
            done: &[404],
        },
        Route {
            name: "R21",
            method: "POST",
            path: api!("/api/v1/enable-app"),
            gates: &[Size(CALL), Object, Admin],
            done: &[404],
        },
        Route {
            name: "R22",
            method: "POST",
            path: api!("/api/v1/disable-app"),
            gates: &[Size(CALL), Object, Admin],
            done: &[404],
        },
        Route { name: "R23", method: "GET", path: api!("/api/v1/apps/hello"), gates: &[User], done: &[200] },
        Route {
            name: "R23 of no App",
            method: "GET",
            path: api!("/api/v1/apps/nobody"),
            gates: &[User],
            done: &[404],
        },
        Route { name: "R08", method: "POST", path: api!("/api/v1/ping"), gates: &[], done: &[200] },
        Route { name: "R09", method: "GET", path: api!("/api/v1/bot-ids"), gates: &[], done: &[200] },
        Route { name: "R10", method: "GET", path: api!("/api/v1/oauth-app-ids"), gates: &[], done: &[200] },
        Route { name: "R24", method: "GET", path: api!("/api/v1/marketplace"), gates: &[], done: &[200] },
        Route {
            name: "R25",
            method: "GET",
            path: api!("/apps/hello/static/a/b"),
            gates: &[User],
            done: &[200],
        },
        Route {
            name: "own connections",
            method: "GET",
            path: api!("/tessera/v1/connections"),
            gates: &[User, Person(401)],
            done: &[200],
        },
        Route {
            name: "end of a connection",
            method: "DELETE",
            path: api!("/tessera/v1/connections/hello"),
            gates: &[User, Person(401)],
            done: &[204, 404],
        },
        Route {
            name: "accounts",
            method: "GET",
            path: api!("/tessera/v1/accounts"),
            gates: &[User, Person(401)],
            done: &[200],
        },
        Route {
            name: "accounts' form",
            method: "POST",
            path: api!("/tessera/v1/accounts"),
            gates: &[User, Person(401)],
            done: &[400, 403],
        },
        Route {
            name: "signing out as somebody else",
            method: "POST",
            path: api!("/tessera/v1/sign-out"),
            gates: &[],
            done: &[400, 403],
        },
        Route {
            name: "apps",
            method: "GET",
            path: api!("/tessera/v1/apps"),
            gates: &[User, Admin],
            done: &[200],
        },
        Route {
            name: "connections of an App",
            method: "GET",
            path: api!("/tessera/v1/apps/hello/connections"),
            gates: &[User, Admin],
            done: &[200],
        },
        Route {
            name: "v4 login",
            method: "POST",
            path: "/api/v4/users/login",
            gates: &[Size(V4), Object],
            done: &[400, 401],
        },
        Route {
            name: "v4 post",
            method: "POST",
            path: "/api/v4/posts",
            gates: &[User, Size(V4), Object],
            done: &[400, 403, 404],
        },
        Route {
            name: "v4 direct channel",
            method: "POST",
            path: "/api/v4/channels/direct",
            gates: &[User, Size(V4)],
            done: &[400],
        },
    ]
};

impl Route {
    /// The statuses that are right for this caller with this body.
    pub(crate) fn allowed(&self, who: Who, body: &Body) -> Vec<u16> {
        let refused = self.gates.iter().find_map(|gate| match *gate {
            Gate::Size(cap) if body.size > cap => Some(413),
            Gate::Size(_) if body.cut => Some(400),
            Gate::User if !who.is_somebody() => Some(401),
            Gate::App if !who.is_app() => Some(401),
            Gate::Admin if who != Who::Admin => Some(401),
            Gate::AdminOrBot if !matches!(who, Who::Admin | Who::Bot) => Some(401),
            Gate::Person(status) if who.is_app() => Some(status),
            Gate::Json if !body.json => Some(400),
            Gate::Object if !body.object => Some(400),
            _ => None,
        });
        refused.map_or_else(|| self.done.to_vec(), |status| vec![status])
    }
}
