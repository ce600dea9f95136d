#include "partition/image/made_apart.h"

#include "partition/image/loop_device.h"
#include "partition/image/new_image.h"
#include "partition/image/transplant.h"

namespace vprov::partition {

void make_apart(const Place& place, Bytes size, const std::function<void(const std::filesystem::path&)>& make) {
    if (place.offset.value == 0)
        return make(place.file);
    if (place.kind == PlaceKind::device)
        return make(LoopDevice(place, size).path());
    const NewImage apart(place.scratch / (place.file.filename().native() + ".part"), size);
    make(apart.path());
    transplant(apart.path(), place.file, place.offset);
}

}  // namespace vprov::partition
