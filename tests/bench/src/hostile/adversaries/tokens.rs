//! Those who have a token of a tenant.

use std::sync::atomic::AtomicBool;

use anyhow::Result;

use super::Adversary;
use crate::bombs;
use crate::hostile::components;
use crate::hostile::crowd::Crowd;
use crate::hostile::scene::Scene;

/// All of them.
pub const ALL: &[Adversary] = &[
    Adversary::token("followers", |scene, is_over| {
        let follow = "/v1/apps/mallory/logs?follow=true";
        let sends = scene.token.request("GET", follow, "", b"");
        again(scene, 64, &|_| sends.clone(), is_over)
    })
    .doing("64 that follow a log"),
    Adversary::token("stalled-uploads", |scene, is_over| {
        let sends = |nth| {
            let mut sends = deploy(scene, nth, "", &[b'x'; 100_000]);
            sends.truncate(sends.len() - 50_000);
            sends
        };
        again(scene, 64, &sends, is_over)
    })
    .doing("64 uploads that stop half way"),
    Adversary::token("unread-logs", |scene, is_over| {
        let follow = "/v1/apps/mallory/logs?follow=true";
        let sends = scene.token.request("GET", follow, "", b"");
        let crowd = Crowd::of(64, scene.admin).unread();
        crowd.run(&|_| sends.clone(), is_over).map(|()| None)
    })
    .doing("64 that follow a log and do not read it")
    .at_length(),
    Adversary::token("compiles", |scene, is_over| {
        let sends = |nth| deploy(scene, nth, "", &bombs::bomb(nth));
        again(scene, 8, &sends, is_over)
    })
    .doing("8 that deploy components which take for ever to compile"),
    Adversary::token("deep-types", |scene, is_over| {
        let sends = |nth| deploy(scene, nth, "", &components::deep(nth).unwrap_or_default());
        again(scene, 8, &sends, is_over)
    })
    .doing("8 that deploy components of 2 to the power of 40 types"),
    Adversary::token("large-uploads", |scene, is_over| {
        let upload = vec![0; 64 << 20];
        let sends = |nth| deploy(scene, nth, "", &upload);
        again(scene, 8, &sends, is_over)
    })
    .doing("8 that upload 64 MiB of nothing, again and again"),
    Adversary::token("deploys", |scene, is_over| {
        let sends = |nth: usize| deploy(scene, nth % 64, "", &tiny(nth));
        again(scene, 8, &sends, is_over)
    })
    .doing("8 that deploy versions of 64 apps without end"),
    Adversary::token("apps", |scene, is_over| {
        let sends = |nth| deploy(scene, nth, "", &tiny(0));
        again(scene, 8, &sends, is_over)
    })
    .doing("8 that deploy one app after another")
    .at_length(),
    Adversary::token("hosts", |scene, is_over| {
        let sends = |nth: usize| {
            let host = |of| format!("\"h{of}.a{nth}.mallory.test\"");
            let hosts: Vec<_> = (0..900).map(host).collect();
            let settings = format!("\"hosts\": [{}]", hosts.join(", "));
            deploy(scene, nth, &settings, &tiny(0))
        };
        again(scene, 8, &sends, is_over)
    })
    .doing("8 that deploy apps of 900 hosts each"),
    Adversary::token("secret-endless", |scene, is_over| {
        let settings = "\"secrets\": {\"X\": {\"file\": \"/dev/zero\"}}";
        again(
            scene,
            4,
            &|nth| deploy(scene, nth, settings, &tiny(0)),
            is_over,
        )
    })
    .doing("4 whose settings name /dev/zero as a secret"),
    Adversary::token("secret-fifo", |scene, is_over| {
        let fifo = scene.data.join("fifo");
        let settings = format!(
            "\"secrets\": {{\"X\": {{\"file\": \"{}\"}}}}",
            fifo.display()
        );
        again(
            scene,
            4,
            &|nth| deploy(scene, nth, &settings, &tiny(0)),
            is_over,
        )
    })
    .doing("4 whose settings name a FIFO as a secret"),
    Adversary::token("dir-fifo", |scene, is_over| {
        let fifo = scene.data.join("fifo");
        let settings = format!("\"dir\": [\"{}:/data\"]", fifo.display());
        again(
            scene,
            4,
            &|nth| deploy(scene, nth, &settings, &tiny(0)),
            is_over,
        )
    })
    .doing("4 whose settings name a FIFO as a directory")
    .at_length(),
    Adversary::token("lists", |scene, is_over| {
        let sends = |nth| {
            let target = ["/v1/apps", "/v1/top", "/v1/apps/mallory/logs", "/metrics"][nth % 4];
            scene.token.request("GET", target, "", b"")
        };
        again(scene, 32, &sends, is_over)
    })
    .doing("32 that list, look and read metrics without end"),
];

fn again(
    scene: &Scene,
    clients: usize,
    sends: &dyn Fn(usize) -> Vec<u8>,
    is_over: &AtomicBool,
) -> Result<Option<String>> {
    Crowd::of(clients, scene.admin).run(sends, is_over)?;
    Ok(None)
}

fn tiny(number: usize) -> Vec<u8> {
    // It is made of a fixed text.
    components::tiny(number as u32).unwrap_or_default()
}

/// A deploy of the nth app of the adversary, with `settings` beside its host.
fn deploy(scene: &Scene, nth: usize, settings: &str, component: &[u8]) -> Vec<u8> {
    let host = format!("\"hosts\": [\"app-{nth}.mallory.test\"]");
    let settings = match settings.contains("\"hosts\"") {
        true => settings.to_owned(),
        false if settings.is_empty() => host,
        false => format!("{host}, {settings}"),
    };
    let fields = format!("Rhost-Settings: {{{settings}}}\r\n");
    let target = format!("/v1/apps/app-{nth}/versions");
    scene.token.request("POST", &target, &fields, component)
}
