# Sources that a unity build compiles by themselves: they have names of their own that others of the module have, too.
set(VPROV_ALONE
  src/bootstrap/archive/release_file.cc src/bootstrap/archive/signature.cc
  src/bootstrap/configure/sandbox_mounts.cc
  src/bootstrap/deb/relation.cc
  src/bootstrap/pack/tar_reader.cc
  src/bootstrap/resolve/explain.cc
  src/config-render/added_files.cc src/config-render/host_key_check.cc src/config-render/networkd.cc
  src/config-render/rsa_key.cc src/config-render/sources.cc src/config-render/ssh_host_keys.cc
  src/hypervisor/guest/cfg_python.cc src/hypervisor/guest/xl_cfg_reader.cc src/hypervisor/guest/xl_cfg_writer.cc
  src/hypervisor/launch/inserted_medium.cc src/hypervisor/launch/spawn_supervisor.cc src/hypervisor/launch/tap.cc
  src/os/user_namespace.cc
  src/partition/compare/tree_listing.cc
  src/partition/device/publication.cc
  src/partition/image/ext_filesystem.cc src/partition/image/ext_volume.cc src/partition/image/overlay.cc
  src/partition/image/swap.cc src/partition/image/tree_copy.cc src/partition/image/tree_size.cc
  src/pipeline/first_stage.cc src/pipeline/guest_kernels.cc src/pipeline/guest_resize.cc src/pipeline/hooks.cc
  src/pipeline/layer_inputs.cc src/pipeline/layers.cc src/pipeline/lock_file.cc
  src/plan/fast_boot.cc src/plan/sources_file.cc
  src/recipe/screen_keys.cc
  tests/archive/fetch_index_test.cc tests/deb/package_index_test.cc tests/hypervisor/cfg_reader_test.cc
  tests/hypervisor/vprov_vif_test.cc tests/image/ext_editor_test.cc tests/plan/fast_boot_test.cc
  tests/recipe/override_test.cc tests/render/passwords_test.cc tests/unpack/stat_overrides_test.cc)

# For the targets of the current directory.
function(vprov_compile_alone)
  list(TRANSFORM VPROV_ALONE PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
  set_source_files_properties(${sources} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
