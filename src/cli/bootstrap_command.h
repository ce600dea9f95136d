// `vprov bootstrap` and debootstrap(8) as one value, whichever way it was written, and how it is run.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/progress.h"
#include "bootstrap/resolve/resolve.h"
#include "pipeline/bootstrap.h"

namespace vprov::cli {

enum class BootstrapAction { install, foreign, print_debs, download_only, make_tarball, second_stage };
enum class SignatureCheck { wanted, forced, off };
enum class CalledAs { vprov, debootstrap };

struct BootstrapCommand {
    CalledAs called_as = CalledAs::vprov;
    BootstrapAction action = BootstrapAction::install;
    std::string suite, target, mirror, script;  // "" where not given
    std::string arch, variant = "-", keyring, cache_dir;
    std::vector<std::string> foreign_architectures;
    std::filesystem::path deb_cache;  // a folder of NAME_VERSION_ARCH.deb, debootstrap's --cache-dir
    std::vector<std::string> include, exclude, components, extra_suites;
    SignatureCheck signature_check = SignatureCheck::wanted;
    std::optional<bool> merged_usr;  // not given: by variant and suite
    bool updates = true;             // SUITE-updates and SUITE-security
    bool valid_until = true;
    pipeline::LayerUse layers = pipeline::LayerUse::reuse;
    bool allow_weak_digests = false;
    bool keep_debootstrap_dir = false;
    std::filesystem::path tarball;  // --make-tarball, --unpack-tarball
    bool unpack_tarball = false;
    std::filesystem::path second_stage_target = "/";
    std::optional<Bytes> size;  // of an ext4 image
    std::string certificate, private_key, ca_certificates;
    bool check_certificate = true;
};

// What happens while it runs, besides Progress: the two names tell their users differently.
struct BootstrapEvents {
    std::function<void(const pipeline::Selection&)> selected = [](const auto&) {};
};

// debootstrap's --print-debs: the names in one line on standard output.
void print_names(const pipeline::Selection& selection);

// Throws Error as vprov(1) lists its kinds.
void run_bootstrap(const BootstrapCommand& command, Progress& progress, const BootstrapEvents& events = {});

}  // namespace vprov::cli
