#include "io/hdf5_stream.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

// Writes bytes that belong at `offset`: first over existing bytes, then at the end.
static void put_at(DurableFile& out, std::uint64_t offset, const void* data, std::size_t bytes) {
  const auto* at = static_cast<const char*>(data);
  if (offset < out.size()) {
    const auto below = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, out.size() - offset));
    out.overwrite(offset, at, below);
    at += below;
    offset += below;
    bytes -= below;
  }
  if (bytes == 0) return;
  if (offset != out.size()) throw BugError("hdf5: bytes must be written in file order");
  out.append(at, bytes);
}

// Requests one dataset and writes its bytes to their place.
static void put_dataset(DurableFile& out, const DatasetPlace& place, std::size_t index, const FillDataset& fill) {
  std::uint64_t done = 0;
  fill(index, [&](const void* data, std::size_t bytes) {
    if (bytes > place.bytes - done) throw BugError("hdf5: dataset " + std::to_string(index) + " got too many bytes");
    put_at(out, place.offset + done, data, bytes);
    done += bytes;
  });
  if (done != place.bytes) {
    throw BugError("hdf5: dataset " + std::to_string(index) + " must get " + std::to_string(place.bytes) +
                   " bytes, got " + std::to_string(done));
  }
}

// Indices of the datasets that have bytes, in file order.
static std::vector<std::size_t> file_order(const Hdf5Plan& plan) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < plan.places.size(); ++i) {
    if (plan.places[i].bytes > 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return plan.places[a].offset < plan.places[b].offset; });
  return order;
}

// Writes the plan; the first `kept` bytes of the file and dataset `done` are left unchanged.
static void write_parts(DurableFile& out, const Hdf5Plan& plan, std::uint64_t kept, const DatasetPlace* done,
                        const FillDataset& fill) {
  auto extent = plan.skeleton.begin();
  const auto put_skeleton_before = [&](std::uint64_t offset) {
    for (; extent != plan.skeleton.end() && extent->offset < offset; ++extent) {
      const std::uint64_t skip = kept > extent->offset ? kept - extent->offset : 0;
      if (skip >= extent->bytes.size()) continue;
      put_at(out, extent->offset + skip, extent->bytes.data() + skip, extent->bytes.size() - skip);
    }
  };
  for (const std::size_t index : file_order(plan)) {
    const DatasetPlace& place = plan.places[index];
    put_skeleton_before(place.offset);
    if (&place != done) put_dataset(out, place, index, fill);
  }
  put_skeleton_before(plan.file_bytes);
  if (out.size() != plan.file_bytes) throw BugError("hdf5: the file must be written to its end");
}

void write_hdf5(DurableFile& out, const Hdf5Plan& plan, const FillDataset& fill) {
  write_parts(out, plan, out.size(), nullptr, fill);
}

static Hdf5Layout layout_of(const std::string& dataset, ElementType type, std::uint64_t count) {
  Hdf5Layout layout;
  layout.add_dataset(dataset, type, {static_cast<Dim>(count)});
  return layout;
}

// The first dataset of a file starts at the same byte whatever its length, because the length before it has a fixed
// width.
Hdf5Appender::Hdf5Appender(std::string path, std::string dataset, ElementType type)
    : dataset_(std::move(dataset)),
      type_(type),
      start_(layout_of(dataset_, type, 1).draw(path).places.front().offset),
      out_(std::move(path)) {
  out_.append_zeros(start_);
}

void Hdf5Appender::append(const void* elements, std::size_t count) {
  constexpr std::size_t kBuffer = std::size_t{1} << 20U;
  const std::size_t bytes = count * size_of(type_);
  if (buffer_.size() + bytes > kBuffer) flush();
  if (bytes > kBuffer) {
    out_.append(elements, bytes);
  } else {
    buffer_.append(static_cast<const char*>(elements), bytes);
  }
  count_ += count;
}

void Hdf5Appender::flush() {
  out_.append(buffer_);
  buffer_.clear();
}

void Hdf5Appender::commit(const Hdf5Layout& rest, const FillDataset& fill) {
  if (count_ == 0) throw DataError(escape_for_terminal(out_.path()) + ": there is nothing to write to " + dataset_);
  flush();
  Hdf5Layout layout = layout_of(dataset_, type_, count_);
  layout.add_all(rest);
  const Hdf5Plan plan = layout.draw(out_.path());
  const DatasetPlace& place = plan.places.front();
  if (place.offset != start_) throw BugError("hdf5: the first dataset of a file moved with its length");
  write_parts(out_, plan, 0, &place, [&](std::size_t index, const ByteSink& sink) { fill(index - 1, sink); });
  out_.commit();
}

}  // namespace rapt
