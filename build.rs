//! Compiles `proto/` without protoc; comments are kept, so that reflection can serve them.

use std::{env, error::Error, fs, path::PathBuf};

const FILES: &[&str] = &[
    "appsco/provisioning/v1/integration_service.proto",
    "appsco/provisioning/v1/sync_service.proto",
    "appsco/provisioning/v1/directory_service.proto",
    "appsco/provisioning/v1/admin_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(FILES)?;
    fs::write(
        out.join("descriptor.bin"),
        compiler.encode_file_descriptor_set(),
    )?;
    let descriptors = compiler.file_descriptor_set();
    tonic_prost_build::configure()
        .btree_map(".")
        // Holds a key: its own says less (`src/proto.rs`).
        .skip_debug(["appsco.provisioning.v1.ServiceAccountKey"])
        .build_server(false)
        .include_file("pb.rs")
        .compile_fds(descriptors.clone())?;
    // Servers speak the same messages, but those of streams are encoded before they are sent.
    let servers = out.join("servers");
    fs::create_dir_all(&servers)?;
    let package = ".appsco.provisioning.v1";
    let encoded = "crate::proto::Encoded";
    tonic_prost_build::configure()
        .extern_path(format!("{package}.WatchRunsResponse"), encoded)
        .extern_path(format!("{package}.WatchDirectoryResponse"), encoded)
        .extern_path(package, "crate::proto::v1")
        .build_client(false)
        .out_dir(servers)
        .include_file("pb.rs")
        .compile_fds(descriptors)?;
    Ok(())
}
