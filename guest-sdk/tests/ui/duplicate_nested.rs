use rhost_sdk::prelude::*;

mod admin {
    use rhost_sdk::prelude::*;

    #[get("/users/{id}")]
    pub fn show(id: u32) -> String {
        id.to_string()
    }
}

#[get("/admin/users/{name}")]
fn by_name(name: String) -> String {
    name
}

app!(by_name, "/admin" => [admin::show]);

fn main() {}
