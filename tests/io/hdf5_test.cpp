#include "io/hdf5.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/hdf5_stream.h"
#include "shared_data.h"
#include "temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

Hdf5Contents contents_of(const std::string& path, std::uint64_t user_block = 0) {
  return read_hdf5_contents(MappedFile(path).bytes(), path, user_block);
}

// Writes `layout`, dataset i filled with bytes of value i + 1.
void write_layout(const std::string& path, const Hdf5Layout& layout) {
  const Hdf5Plan plan = layout.draw(path);
  DurableFile out(path, plan.file_bytes);
  write_hdf5(out, plan, [&](std::size_t index, const ByteSink& sink) {
    const std::string bytes(plan.places[index].bytes, static_cast<char>(index + 1));
    const std::size_t half = bytes.size() / 2;
    sink(bytes.data(), half);
    sink(bytes.data() + half, bytes.size() - half);
  });
  out.commit();
}

Hdf5Layout example(std::uint64_t user_block) {
  Hdf5Layout layout(user_block);
  layout.add_string("config", 11);
  layout.add_dataset("model/blocks.0.norm1.gain", ElementType::kF32, {3});
  layout.add_dataset("model/embedding", ElementType::kF64, {100, 7});
  layout.add_dataset("optimizer/m/embedding", ElementType::kI64, {2, 1, 2});
  layout.add_dataset("scalar", ElementType::kI32, {});
  layout.add_dataset("nothing", ElementType::kU16, {0, 5});
  layout.add_dataset("bytes", ElementType::kU8, {1});
  layout.add_dataset("halves", ElementType::kBF16, {3});
  layout.add_string("empty", 0);
  layout.add_group("state");
  layout.add_attribute("state", "step", std::int64_t{-7});
  layout.add_attribute("state", "loss", 1.0 / 3.0);
  layout.add_attribute("state", "name", std::string("best é"));
  layout.add_attribute("", "format", std::string());
  return layout;
}

TEST_CASE("a laid-out file reads back with every byte in its place") {
  const TemporaryFolder folder;
  for (const std::uint64_t user_block : {0, 512}) {
    CAPTURE(user_block);
    const std::string path = folder / "a.h5";
    write_layout(path, example(user_block));
    const std::string file = read_plainly(path);
    const Hdf5Contents contents = contents_of(path, user_block);
    CHECK(contents.groups == std::vector<std::string>{"model", "optimizer", "optimizer/m", "state"});
    REQUIRE(contents.datasets.size() == 9);
    const auto check = [&](const std::string& name, ElementType type, std::vector<Dim> shape, std::uint64_t bytes,
                           char value) {
      CAPTURE(name);
      const auto* dataset = contents.find(name);
      REQUIRE(dataset != nullptr);
      CHECK(dataset->type == type);
      CHECK(dataset->shape == shape);
      CHECK(dataset->place.bytes == bytes);
      CHECK(dataset->place.offset % 64 == 0);
      CHECK(file.substr(dataset->place.offset, dataset->place.bytes) == std::string(bytes, value));
    };
    check("config", ElementType::kU8, {}, 11, 1);
    CHECK(contents.find("config")->is_string);
    check("model/blocks.0.norm1.gain", ElementType::kF32, {3}, 12, 2);
    check("model/embedding", ElementType::kF64, {100, 7}, 5600, 3);
    check("optimizer/m/embedding", ElementType::kI64, {2, 1, 2}, 32, 4);
    check("scalar", ElementType::kI32, {}, 4, 5);
    check("nothing", ElementType::kU16, {0, 5}, 0, 6);
    check("bytes", ElementType::kU8, {1}, 1, 7);
    check("halves", ElementType::kBF16, {3}, 6, 8);
    check("empty", ElementType::kU8, {}, 1, 0);
    CHECK(contents.find("absent") == nullptr);
    REQUIRE(contents.attributes.size() == 4);
    CHECK(contents.attributes[0].object.empty());
    CHECK(contents.attributes[0].value == Hdf5Value(std::string()));
    CHECK(contents.attributes[1].name == "loss");
    CHECK(contents.attributes[1].value == Hdf5Value(1.0 / 3.0));
    CHECK(contents.attributes[2].value == Hdf5Value(std::string("best é")));
    CHECK(contents.attributes[3].value == Hdf5Value(std::int64_t{-7}));
  }
  CHECK(message_of<DataError>([&] { contents_of(folder / "a.h5", 0); }) ==
        (folder / "a.h5") + ": not an HDF5 file as rapt writes it: must have the signature at byte 0");
}

TEST_CASE("equal descriptions give equal bytes") {
  const TemporaryFolder folder;
  write_layout(folder / "a.h5", example(512));
  // Different heap contents, in case any of them reach the file.
  std::vector<std::string> garbage;
  for (std::size_t size = 16; size < 100000; size *= 2) garbage.emplace_back(size, '\xaa');
  garbage.clear();
  write_layout(folder / "b.h5", example(512));
  CHECK(read_plainly(folder / "a.h5") == read_plainly(folder / "b.h5"));
}

TEST_CASE("an impossible layout is an error, not a file") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  const auto draw = [&](auto&& add) {
    Hdf5Layout layout;
    add(layout);
    layout.draw(path);
  };
  CHECK_THROWS_AS(draw([](Hdf5Layout& l) {
                    l.add_dataset("a", ElementType::kF32, {1});
                    l.add_dataset("a", ElementType::kF32, {1});
                  }),
                  std::invalid_argument);
  CHECK_THROWS_AS(draw([](Hdf5Layout& l) { l.add_dataset("a//b", ElementType::kF32, {1}); }), std::invalid_argument);
  CHECK_THROWS_AS(draw([](Hdf5Layout& l) { l.add_dataset("", ElementType::kF32, {1}); }), std::invalid_argument);
  CHECK_THROWS_AS(draw([](Hdf5Layout& l) { l.add_dataset("a", ElementType::kF16, {1}); }), std::invalid_argument);
  CHECK_THROWS_AS(draw([](Hdf5Layout& l) { l.add_attribute("absent", "x", 1.0); }), std::invalid_argument);
  CHECK_THROWS_AS(draw([](Hdf5Layout& l) { l.add_attribute("", "x", std::string(70000, 'x')); }),
                  std::invalid_argument);
  CHECK_THROWS_AS(Hdf5Layout(100).draw(path), std::invalid_argument);
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("thousands of datasets and gigabytes of data are cheap to lay out") {
  const TemporaryFolder folder;
  Hdf5Layout layout(512);
  for (int i = 0; i < 3000; ++i) layout.add_dataset("model/p" + std::to_string(i), ElementType::kF32, {Dim{1} << 20});
  const Hdf5Plan plan = layout.draw(folder / "a.h5");
  CHECK(plan.places.size() == 3000);
  CHECK(plan.file_bytes > std::uint64_t{3000} << 22U);
  std::size_t skeleton = 0;
  for (const auto& extent : plan.skeleton) skeleton += extent.bytes.size();
  CHECK(skeleton < 4000000);
}

TEST_CASE("a dataset of unknown length is streamed to its place") {
  const TemporaryFolder folder;
  const std::string path = folder / "d.h5";
  for (const std::size_t count : {std::size_t{1}, std::size_t{1000}, std::size_t{3000000}}) {
    CAPTURE(count);
    std::vector<std::int32_t> tokens(count);
    for (std::size_t i = 0; i < count; ++i) tokens[i] = static_cast<std::int32_t>(i * 7919);
    Hdf5Appender writer(path, "tokens", ElementType::kI32);
    for (std::size_t at = 0; at < count;) {
      const std::size_t piece = std::min<std::size_t>(count - at, at % 3 == 0 ? 1 : at == 1 ? 700000 : 999);
      writer.append(tokens.data() + at, piece);
      at += piece;
    }
    CHECK(writer.count() == count);
    Hdf5Layout rest;
    const std::size_t starts = rest.add_dataset("document_starts", ElementType::kI64, {2});
    const std::size_t tokenizer = rest.add_string("tokenizer", 2);
    rest.add_attribute("", "vocabulary", std::int64_t{65});
    const std::vector<std::int64_t> start_values = {0, 17};
    writer.commit(rest, [&](std::size_t index, const ByteSink& sink) {
      if (index == starts) sink(start_values.data(), 16);
      if (index == tokenizer) sink("{}", 2);
    });
    const Hdf5Contents contents = contents_of(path);
    const auto* found = contents.find("tokens");
    REQUIRE(found != nullptr);
    CHECK(found->shape == std::vector<Dim>{static_cast<Dim>(count)});
    const MappedFile file(path);
    CHECK(std::memcmp(file.data() + found->place.offset, tokens.data(), count * 4) == 0);
    CHECK(std::memcmp(file.data() + contents.find("document_starts")->place.offset, start_values.data(), 16) == 0);
    CHECK(std::memcmp(file.data() + contents.find("tokenizer")->place.offset, "{}", 2) == 0);
    CHECK(contents.attributes.at(0).value == Hdf5Value(std::int64_t{65}));
  }
  Hdf5Appender empty(path, "tokens", ElementType::kU16);
  CHECK(message_of<DataError>([&] { empty.commit(); }) == path + ": there is nothing to write to tokens");
}

TEST_CASE("a file with a flipped bit or a truncation is read or rejected, and headers detect every one") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  write_layout(path, example(0));
  std::string bytes = read_plainly(path);
  const auto read = [&](std::size_t size) {
    return message_of<DataError>([&] { read_hdf5_contents(std::as_bytes(std::span(bytes.data(), size)), path); });
  };
  int noticed = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1U << (at % 8)));
    if (read(bytes.size()) != "no error") ++noticed;
    bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1U << (at % 8)));
  }
  CHECK(noticed > 1500);  // the superblock and twelve object headers; the rest is data and gaps
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    if (read(size) == "no error") FAIL("cut at " << size);
  }
}

TEST_CASE("real files of other programs are read or rejected") {
  const std::string folder = shared_data("data/fixtures/hdf5");
  if (folder.empty()) return;
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (!entry.is_regular_file() || path.ends_with(".txt")) continue;
    CAPTURE(path);
    const std::string error = message_of<DataError>([&] { contents_of(path); });
    if (error != "no error") CHECK(error.rfind(path + ": ", 0) == 0);
    CHECK(error.size() < path.size() + 200);
    ++files;
  }
  CHECK(files == 24);
}

TEST_CASE("files that are not HDF5 are rejected") {
  const TemporaryFolder folder;
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string(10000, '\0'), std::string("\x89HDF\r\n\x1a\n"),
        std::string("\x89HDF\r\n\x1a\n") + std::string(5000, 'x')}) {
    write_plainly(folder / "a.h5", bytes);
    CHECK(message_of<DataError>([&] { contents_of(folder / "a.h5"); }).rfind((folder / "a.h5") + ": ", 0) == 0);
  }
}

}  // namespace
}  // namespace rapt
