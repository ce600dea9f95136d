// Configured trees that are kept in the cache, so that no later build has to configure the same packages again.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "bootstrap/archive/archive.h"
#include "bootstrap/configure/configure.h"
#include "pipeline/layer_inputs.h"

namespace vprov::pipeline {

// DIR/layers/DIGEST of the cache, a directory under the digest of the layer's inputs:
//   tree.tar    the tree, without files that only one machine may have
//   digest      SHA-256 of tree.tar
//   inputs      LayerInputs::text()
//   unique      the paths of those files, a line each
//   log/        what the scripts said (ScriptLogs)
class Layers {
  public:
    explicit Layers(const archive::Cache& cache) : cache_(cache) {}

    // From now on used: it is not pruned while this process runs.
    std::optional<std::filesystem::path> find(const LayerInputs& inputs) const;

    // Makes the tree in `root`, which is empty, and its unique files. nullopt when the layer is damaged: it has been
    // removed then, and `root` is empty again. Closes the sandbox. Throws Error(disk), Error(script).
    std::optional<configure::ConfiguredRoot> restore(const std::filesystem::path& layer,
                                                     const std::filesystem::path& root,
                                                     configure::Sandbox& sandbox) const;

    // `logs` is the directory of ScriptLogs. Returns why it was not kept, or "". Throws Error(disk).
    std::string keep(const LayerInputs& inputs, const os::RootDir& tree, const std::filesystem::path& logs) const;

    // Why there is none: what differs from the most similar one, or that there is no other. For people.
    std::string why_none(const LayerInputs& inputs) const;

    const archive::Cache& cache() const { return cache_; }

    // tree.tar is what it was.
    static bool is_intact(const std::filesystem::path& layer);

  private:
    std::string publish(const LayerInputs& inputs, const os::RootDir& tree, const std::filesystem::path& logs) const;
    std::filesystem::path directory() const { return cache_.directory() / "layers"; }
    const archive::Cache& cache_;
};

}  // namespace vprov::pipeline
