// Configured trees that are kept in the cache, so that no later build has to configure the same packages again.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bootstrap/archive/archive.h"
#include "bootstrap/configure/configure.h"
#include "pipeline/layer_inputs.h"

namespace vprov::pipeline {

// DIR/layers/DIGEST of the cache, a directory under the digest of the layer's inputs:
//   tree.tar    the tree, without files that only one machine may have
//   digest      SHA-256 of tree.tar
//   inputs      LayerInputs::text()
//   unique      the paths of those files, a line each
//   named       the paths of files that need the guest's name (NamedFiles::text), a line each
//   date        ConfiguredRoot::date()
//   log/        what the scripts said (ScriptLogs)
// Where scripts were found to put the guest's name into what is no text, there is only
//   needs-name  the path of that
class Layers {
  public:
    explicit Layers(const archive::Cache& cache) : cache_(cache) {}

    // From now on used: it is not pruned while this process runs.
    std::optional<std::filesystem::path> find(const LayerInputs& inputs) const;

    // Makes the tree in `root`, which is empty, without its unique files. nullopt when the layer is damaged: it has
    // been removed then, and `root` is empty again. Throws Error(disk).
    std::optional<configure::ConfiguredRoot> restore(const std::filesystem::path& layer,
                                                     const std::filesystem::path& root) const;
    static std::vector<std::string> unique_files(const std::filesystem::path& layer);
    static std::vector<std::string> named_files(const std::filesystem::path& layer);

    // `logs` is the directory of ScriptLogs, `named` NamedFiles::text. Returns why it was not kept, or "". Throws
    // Error(disk).
    std::string keep(const LayerInputs& inputs, const configure::ConfiguredRoot& tree,
                     const std::vector<std::string>& named, const std::filesystem::path& logs) const;

    // From now on what_needs_name() says `path` of these inputs.
    void keep_needs_name(const LayerInputs& inputs, const std::string& path) const;
    std::string what_needs_name(const LayerInputs& inputs) const;  // "" : nothing that is known

    // Why there is none: what differs from the most similar one, or that there is no other. For people.
    std::string why_none(const LayerInputs& inputs) const;

    const archive::Cache& cache() const { return cache_; }

    // tree.tar is what it was.
    static bool is_intact(const std::filesystem::path& layer);

  private:
    std::string write(const LayerInputs& inputs, const configure::ConfiguredRoot& tree,
                      const std::vector<std::string>& named, const std::filesystem::path& logs) const;
    void publish(const std::filesystem::path& made, const LayerInputs& inputs) const;
    std::filesystem::path directory() const { return cache_.directory() / "layers"; }
    const archive::Cache& cache_;
};

}  // namespace vprov::pipeline
