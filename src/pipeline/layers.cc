#include "pipeline/layers.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "bootstrap/pack/tar_reader.h"
#include "bootstrap/pack/tar_writer.h"
#include "os/temp_dir.h"
#include "pipeline/unique_files.h"

namespace vprov::pipeline {
namespace {
namespace fs = std::filesystem;

constexpr auto kBehind = std::chrono::milliseconds(2);

// Of all that has been written when nothing more comes and `is_whole` has been set.
std::string digest_of(const fs::path& path, const std::atomic<bool>& is_whole) {
    const auto file = os::open_file(path, O_RDONLY);
    Hasher hasher(DigestKind::sha256);
    std::string buffer(1 << 20, '\0');
    for (;;) {
        const bool was_whole = is_whole;
        const auto count = ::read(file.get(), buffer.data(), buffer.size());
        if (count < 0)
            throw system_error(ErrorKind::disk, errno, "cannot read " + quote(path.native()));
        if (count == 0 && was_whole)
            return hasher.hex();
        if (count == 0)
            std::this_thread::sleep_for(kBehind);
        hasher.update(buffer.data(), static_cast<std::size_t>(count));
    }
}

std::string digest_of(const fs::path& path) {
    return digest_of(path, true);
}

// The digest of a file that is being written, by a thread that reads right behind the writer.
class DigestBehind {
  public:
    explicit DigestBehind(const fs::path& file)
        : digest_(std::async(std::launch::async, [this, file] { return digest_of(file, is_whole_); })) {}
    ~DigestBehind() { is_whole_ = true; }
    DigestBehind(const DigestBehind&) = delete;
    DigestBehind& operator=(const DigestBehind&) = delete;

    std::string finish() {
        is_whole_ = true;
        return digest_.get();
    }

  private:
    std::atomic<bool> is_whole_{false};
    std::future<std::string> digest_;
};

std::vector<std::string> lines_of(const fs::path& path) {
    const auto text = os::read_file(path);
    std::vector<std::string> lines;
    for (const auto line : split(text, '\n'))
        if (!line.empty())
            lines.emplace_back(line);
    return lines;
}

std::string as_lines(const std::vector<std::string>& lines) {
    return lines.empty() ? "" : joined(lines, "\n") + "\n";
}

void empty_directory(const fs::path& root) {
    for (const auto& entry : fs::directory_iterator(root)) os::remove_tree(entry.path());
}

}  // namespace

std::vector<std::string> Layers::unique_files(const fs::path& layer) {
    return lines_of(layer / "unique");
}

std::vector<std::string> Layers::named_files(const fs::path& layer) {
    return lines_of(layer / "named");
}

std::optional<fs::path> Layers::find(const LayerInputs& inputs) const {
    const auto hold = cache_.hold();
    auto layer = directory() / inputs.digest().hex();
    if (!fs::exists(layer / "digest"))
        return std::nullopt;
    archive::Cache::mark_used(layer);
    return layer;
}

bool Layers::is_intact(const fs::path& layer) {
    return fs::exists(layer / "needs-name") ||
           (fs::exists(layer / "digest") && fs::exists(layer / "tree.tar") &&
            os::read_file(layer / "digest") == digest_of(layer / "tree.tar") + "\n");
}

std::optional<configure::ConfiguredRoot> Layers::restore(const fs::path& layer, const fs::path& root) const {
    auto intact = std::async(std::launch::async, [&] { return is_intact(layer); });
    configure::ConfiguredRoot configured(root, std::stoll(os::read_file(layer / "date")));
    std::optional<Error> failure;
    try {
        pack::read_tar(layer / "tree.tar", configured.root());
    } catch (const Error& e) {
        failure = e;
    }
    if (!intact.get()) {
        os::remove_tree(layer);
        empty_directory(root);
        return std::nullopt;
    }
    if (failure)
        throw *failure;
    return configured;
}

std::string Layers::keep(const LayerInputs& inputs, const configure::ConfiguredRoot& tree,
                         const std::vector<std::string>& named, const fs::path& logs) const {
    try {
        return write(inputs, tree, named, logs);
    } catch (const fs::filesystem_error& e) {
        throw system_error(ErrorKind::disk, e.code().value(),
                           "cannot write " + quote(e.path2().empty() ? e.path1().native() : e.path2().native()));
    }
}

std::string Layers::write(const LayerInputs& inputs, const configure::ConfiguredRoot& tree,
                          const std::vector<std::string>& named, const fs::path& logs) const {
    const auto unique = find_unique_files(tree.root());
    if (!unique.unknown.empty())
        return fmt::format("{} may be a secret that no other tree should have", quote("/" + unique.unknown));
    const os::TempDir work(cache_.directory() / "partial", "layer-");
    const auto made = work.path() / "layer";
    fs::create_directory(made);
    const auto file = os::open_file(made / "tree.tar", O_WRONLY | O_CREAT | O_EXCL, 0600);
    DigestBehind digest(made / "tree.tar");
    pack::TarOptions options;
    options.left_out = {unique.known.begin(), unique.known.end()};
    pack::write_tar(tree.root().path(), file.get(), options);
    fs::copy(logs, made / "log");
    os::write_file(made / "inputs", inputs.text());
    os::write_file(made / "unique", as_lines(unique.known));
    os::write_file(made / "named", as_lines(named));
    os::write_file(made / "date", fmt::format("{}\n", tree.date()));
    os::write_file(made / "digest", digest.finish() + "\n");
    publish(made, inputs);
    return "";
}

void Layers::publish(const fs::path& made, const LayerInputs& inputs) const {
    const auto hold = cache_.hold();
    fs::create_directories(directory());
    const auto place = directory() / inputs.digest().hex();
    if (::rename(made.c_str(), place.c_str()) != 0 && errno != EEXIST && errno != ENOTEMPTY)
        throw system_error(ErrorKind::disk, errno, "cannot keep the layer " + quote(place.native()));
}

void Layers::keep_needs_name(const LayerInputs& inputs, const std::string& path) const {
    const os::TempDir work(cache_.directory() / "partial", "layer-");
    const auto made = work.path() / "layer";
    fs::create_directory(made);
    os::write_file(made / "needs-name", path);
    publish(made, inputs);
}

std::string Layers::what_needs_name(const LayerInputs& inputs) const {
    const auto file = directory() / inputs.digest().hex() / "needs-name";
    return fs::exists(file) ? os::read_file(file) : "";
}

std::string Layers::why_none(const LayerInputs& inputs) const {
    std::optional<LayerInputs> nearest;
    std::error_code failure;
    for (const auto& layer : fs::directory_iterator(directory(), failure)) {
        if (!fs::exists(layer.path() / "inputs"))
            continue;
        auto other = read_layer_inputs(os::read_file(layer.path() / "inputs"));
        if (!nearest || differing_lines(other, inputs) < differing_lines(*nearest, inputs))
            nearest = std::move(other);
    }
    return nearest ? difference(*nearest, inputs) : "no layer is kept yet";
}

}  // namespace vprov::pipeline
