#include "partition/image/image_io.h"

#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace vprov::partition {
namespace {

struct Opened {
    ImageBytes* image = nullptr;
    std::uint64_t offset = 0;
};

thread_local Opened next_to_open;  // libext2fs hands the manager a name only

struct Channel {
    struct_io_channel channel{};
    Opened place;
    std::string name = ImageIo::kName;
};

Channel& of(io_channel channel) {
    return *static_cast<Channel*>(channel->private_data);
}

errcode_t close_channel(io_channel channel) {
    if (--channel->refcount > 0)
        return 0;
    delete &of(channel);
    return 0;
}

errcode_t set_block_size(io_channel channel, int size) {
    channel->block_size = size;
    return 0;
}

// A negative count is one of bytes.
std::size_t bytes_of(io_channel channel, int count) {
    return count < 0 ? static_cast<std::size_t>(-count)
                     : static_cast<std::size_t>(count) * static_cast<std::size_t>(channel->block_size);
}

std::uint64_t place_of(io_channel channel, unsigned long long block) {
    return of(channel).place.offset + block * static_cast<std::uint64_t>(channel->block_size);
}

errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void* data) try {
    of(channel).place.image->read(place_of(channel, block), static_cast<char*>(data), bytes_of(channel, count));
    return 0;
} catch (const Error&) {
    return EXT2_ET_SHORT_READ;
}

errcode_t write_blocks(io_channel channel, unsigned long long block, int count, const void* data) try {
    of(channel).place.image->write(place_of(channel, block),
                                   {static_cast<const char*>(data), bytes_of(channel, count)});
    return 0;
} catch (const Error&) {
    return EXT2_ET_SHORT_WRITE;
}

errcode_t read_blocks_32(io_channel channel, unsigned long block, int count, void* data) {
    return read_blocks(channel, block, count, data);
}

errcode_t write_blocks_32(io_channel channel, unsigned long block, int count, const void* data) {
    return write_blocks(channel, block, count, data);
}

errcode_t write_bytes(io_channel channel, unsigned long offset, int count, const void* data) try {
    of(channel).place.image->write(of(channel).place.offset + offset,
                                   {static_cast<const char*>(data), static_cast<std::size_t>(count)});
    return 0;
} catch (const Error&) {
    return EXT2_ET_SHORT_WRITE;
}

errcode_t flush(io_channel) {
    return 0;
}

errcode_t open_channel(const char*, int, io_channel* channel);

io_manager the_manager() {
    static struct_io_manager manager = [] {
        struct_io_manager made{};
        made.magic = EXT2_ET_MAGIC_IO_MANAGER;
        made.name = "image";
        made.open = open_channel;
        made.close = close_channel;
        made.set_blksize = set_block_size;
        made.read_blk = read_blocks_32;
        made.write_blk = write_blocks_32;
        made.flush = flush;
        made.write_byte = write_bytes;
        made.read_blk64 = read_blocks;
        made.write_blk64 = write_blocks;
        return made;
    }();
    return &manager;
}

errcode_t open_channel(const char*, int, io_channel* channel) {
    auto opened = std::make_unique<Channel>();
    opened->place = next_to_open;
    opened->channel.magic = EXT2_ET_MAGIC_IO_CHANNEL;
    opened->channel.manager = the_manager();
    opened->channel.name = opened->name.data();
    opened->channel.block_size = 1024;
    opened->channel.refcount = 1;
    opened->channel.private_data = opened.get();
    *channel = &opened.release()->channel;
    return 0;
}

}  // namespace

ImageIo::ImageIo(ImageBytes& image, Bytes offset) {
    next_to_open = {&image, offset.value};
}

ImageIo::~ImageIo() {
    next_to_open = {};
}

io_manager ImageIo::manager() const {
    return the_manager();
}

}  // namespace vprov::partition
