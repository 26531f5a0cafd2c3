#include "train/files/checkpoint_file.h"

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "io/crc32c.h"
#include "io/temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

struct Example {
  std::vector<float> embedding = std::vector<float>(65 * 32);
  std::vector<float> gain = {1.0F, -0.0F, std::numeric_limits<float>::quiet_NaN()};
  std::vector<double> moment = {1.0 / 3.0, 5e-324};
  std::vector<std::int32_t> order = {3, 1, 2};

  Example() { std::iota(embedding.begin(), embedding.end(), 0.5F); }

  CheckpointContents contents(const std::string& config = "layers = 2\n") const {
    CheckpointContents c;
    c.texts = {{"config", config}, {"tokenizer", "{\"é\": 1}"}, {"manifest", ""}};
    c.tensors = {{"model/embedding.weight", DType::kF32, {65, 32}, embedding.data()},
                 {"model/blocks.0.norm1.gain", DType::kF32, {3}, gain.data()},
                 {"optimizer/m/blocks.0.norm1.gain", DType::kF64, {2}, moment.data()},
                 {"optimizer/v/blocks.0.norm1.gain", DType::kI32, {3, 1}, order.data()},
                 {"optimizer/v/scalar", DType::kI32, {}, order.data()},
                 {"optimizer/v/none", DType::kF32, {0, 4}, nullptr}};
    c.state = {{"step", std::int64_t{120}}, {"best_loss", 1.25}, {"stop_reason", std::string("time")}};
    return c;
  }
};

TEST_CASE("everything written comes back, bit for bit") {
  const TemporaryFolder folder;
  const std::string path = folder / "last.h5";
  const Example example;
  write_checkpoint(path, example.contents());
  const CheckpointFile file(path);
  CHECK(file.format() == 1);
  CHECK(file.texts() == std::vector<std::string>{"config", "manifest", "tokenizer"});
  CHECK(file.text("config") == "layers = 2\n");
  CHECK(file.text("tokenizer") == "{\"é\": 1}");
  CHECK(file.text("manifest").empty());
  CHECK_FALSE(file.has_text("tokenizer_source"));
  REQUIRE(file.tensors().size() == 6);
  CHECK(file.tensors()[0].name == "model/blocks.0.norm1.gain");
  CHECK(file.find_tensor("model/embedding.weight")->shape == std::vector<Dim>{65, 32});
  CHECK(file.find_tensor("optimizer/v/none")->count() == 0);
  CHECK(file.find_tensor("model/embedding") == nullptr);

  std::vector<float> embedding(65 * 32), gain(3), none;
  std::vector<double> moment(2);
  std::vector<std::int32_t> order(3), scalar(1);
  file.read_into<float>("model/embedding.weight", embedding);
  file.read_into<float>("model/blocks.0.norm1.gain", gain);
  file.read_into<double>("optimizer/m/blocks.0.norm1.gain", moment);
  file.read_into<std::int32_t>("optimizer/v/blocks.0.norm1.gain", order);
  file.read_into<std::int32_t>("optimizer/v/scalar", scalar);
  file.read_into<float>("optimizer/v/none", none);
  CHECK(embedding == example.embedding);
  CHECK(std::memcmp(gain.data(), example.gain.data(), 12) == 0);
  CHECK(moment == example.moment);
  CHECK(order == example.order);
  CHECK(scalar[0] == 3);
  CHECK(file.state_integer("step") == 120);
  CHECK(file.state_number("best_loss") == 1.25);
  CHECK(file.state_text("stop_reason") == "time");
  CHECK(file.has_state("step"));
  CHECK_FALSE(file.has_state("epoch"));
}

TEST_CASE("reading a missing field, or one of another type, is an error that says so") {
  const TemporaryFolder folder;
  const std::string path = folder / "last.h5";
  write_checkpoint(path, Example().contents());
  const CheckpointFile file(path);
  std::vector<float> values(3), four(4);
  std::vector<double> doubles(3);
  CHECK(message_of<DataError>([&] { file.read_into<float>("model/x", values); }) ==
        path + ": the checkpoint has no tensor \"model/x\"");
  CHECK(message_of<DataError>([&] { file.read_into<float>("model/blocks.0.norm1.gain", four); }) ==
        path + ": tensor \"model/blocks.0.norm1.gain\" must have 4 elements of F32, got [3] of F32");
  CHECK(message_of<DataError>([&] { file.read_into<double>("model/blocks.0.norm1.gain", doubles); }) ==
        path + ": tensor \"model/blocks.0.norm1.gain\" must have 3 elements of F64, got [3] of F32");
  CHECK(message_of<DataError>([&] { file.text("tokenizer_source"); }) ==
        path + ": the checkpoint has no \"tokenizer_source\"");
  CHECK(message_of<DataError>([&] { file.state_integer("epoch"); }) ==
        path + ": the checkpoint's state has no \"epoch\"");
  CHECK(message_of<DataError>([&] { file.state_integer("best_loss"); }) ==
        path + ": state \"best_loss\" must be an integer");
}

TEST_CASE("names that a checkpoint does not have cannot be written") {
  const TemporaryFolder folder;
  const float value = 0;
  for (const char* name : {"weight", "model/a/b", "optimizer/m", "other/a", "model/"}) {
    CAPTURE(name);
    CheckpointContents contents;
    contents.tensors = {{name, DType::kF32, {}, &value}};
    CHECK_THROWS_AS(write_checkpoint(folder / "a.h5", contents), std::invalid_argument);
  }
  CheckpointContents contents;
  contents.texts = {{"notes", ""}};
  CHECK_THROWS_AS(write_checkpoint(folder / "a.h5", contents), std::invalid_argument);
  contents.texts = {{"config", "a"}, {"config", "b"}};
  CHECK_THROWS_AS(write_checkpoint(folder / "a.h5", contents), std::invalid_argument);
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("equal contents give equal bytes; a longer configuration moves no tensor") {
  const TemporaryFolder folder;
  const Example example;
  write_checkpoint(folder / "a.h5", example.contents());
  write_checkpoint(folder / "b.h5", example.contents());
  CHECK(read_plainly(folder / "a.h5") == read_plainly(folder / "b.h5"));
  write_checkpoint(folder / "c.h5", example.contents(std::string(5000, '#')));
  const CheckpointFile a(folder / "a.h5"), c(folder / "c.h5");
  for (std::size_t i = 0; i < a.tensors().size(); ++i) {
    CHECK(a.tensors()[i].place.offset == c.tensors()[i].place.offset);
  }
}

TEST_CASE("every flipped bit and every truncation is found") {
  const TemporaryFolder folder;
  const std::string path = folder / "last.h5";
  CheckpointContents contents = Example().contents();
  const Example example;
  contents.tensors = {{"model/gain", DType::kF32, {3}, example.gain.data()}};
  write_checkpoint(path, contents);
  const std::string whole = read_plainly(path);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](std::size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte).flush();
  };
  for (std::size_t byte = 0; byte < whole.size(); ++byte) {
    put(byte, static_cast<char>(whole[byte] ^ static_cast<char>(1U << (byte % 8))));
    if (message_of<DataError>([&] { CheckpointFile{path}; }) == "no error") FAIL("byte " << byte);
    put(byte, whole[byte]);
  }
  CHECK_NOTHROW(CheckpointFile{path});
  for (std::size_t kept = 0; kept < whole.size(); kept += 1 + kept / 50) {
    write_plainly(path, whole.substr(0, kept));
    if (message_of<DataError>([&] { CheckpointFile{path}; }) == "no error") FAIL("kept " << kept);
  }
  write_plainly(path, whole + 'x');
  CHECK(message_of<DataError>([&] { CheckpointFile{path}; }).find("has bytes added to it") != std::string::npos);
}

std::string with_header(std::string bytes, std::size_t at, std::uint32_t value) {
  std::memcpy(bytes.data() + at, &value, 4);
  const std::uint32_t crc = crc32c(bytes.data(), 508);
  std::memcpy(bytes.data() + 508, &crc, 4);
  return bytes;
}

TEST_CASE("damage, truncation and newer formats have readable messages") {
  const TemporaryFolder folder;
  const std::string path = folder / "last.h5";
  write_checkpoint(path, Example().contents());
  const std::string whole = read_plainly(path);
  const std::string advice = "; use another checkpoint of the run, or the copy this one came from";
  const auto error = [&](const std::string& bytes) {
    write_plainly(path, bytes);
    return message_of<DataError>([&] { CheckpointFile{path}; });
  };
  std::string damaged = whole;
  damaged[whole.size() / 2] ^= 1;
  const std::string message = error(damaged);
  CHECK(message.rfind(path + ": the checkpoint is damaged: checksum must be ", 0) == 0);
  CHECK(message.ends_with(advice));
  CHECK(error(whole.substr(0, 1000)) ==
        path + ": the checkpoint is truncated: must be " + std::to_string(whole.size()) + " bytes, got 1000" + advice);
  CHECK(error(whole.substr(0, 100)) ==
        path + ": the checkpoint is truncated: must be at least 512 bytes, got 100" + advice);
  CHECK(error("") == path + ": not a rapt checkpoint: must begin with RAPTCKPT, got \"\"");
  CHECK(error("hello, world") == path + ": not a rapt checkpoint: must begin with RAPTCKPT, got \"hello, w\"");
  CHECK(error(with_header(whole, 8, 2)) ==
        path + ": checkpoint format 2 is newer than this rapt, which reads up to 1; use a newer rapt");
  CHECK_THROWS_AS(CheckpointFile{folder / "absent.h5"}, MissingInputError);
}

TEST_CASE("a file opened stays readable when a newer one takes its name") {
  const TemporaryFolder folder;
  const std::string path = folder / "last.h5";
  Example example;
  write_checkpoint(path, example.contents());
  const CheckpointFile old_file(path);
  example.gain[0] = 7.0F;
  write_checkpoint(path, example.contents());
  std::vector<float> gain(3);
  old_file.read_into<float>("model/blocks.0.norm1.gain", gain);
  CHECK(gain[0] == 1.0F);
  CheckpointFile(path).read_into<float>("model/blocks.0.norm1.gain", gain);
  CHECK(gain[0] == 7.0F);
}

TEST_CASE("a full disk while saving leaves the previous checkpoint intact") {
  const TemporaryFolder folder;
  if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    MESSAGE("skipped: mounting a small disk is not permitted here");
    return;
  }
  const std::string path = folder / "last.h5";
  write_checkpoint(path, Example().contents());
  const std::string before = read_plainly(path);
  const std::vector<float> large(1U << 20U);
  CheckpointContents contents = Example().contents();
  contents.tensors.push_back({"model/large", DType::kF32, {1 << 20}, large.data()});
  const std::string error = message_of<IoError>([&] { write_checkpoint(path, contents); });
  CAPTURE(error);
  CHECK(error.rfind(path + ": cannot be written: disk full, 4.0 MiB needed, ", 0) == 0);
  CHECK(read_plainly(path) == before);
  CHECK(files_in(folder.path()) == 1);
  ::umount(folder.path().c_str());
}

TEST_CASE("saving and loading need no second copy of the tensors") {
  const TemporaryFolder folder;
  const std::string path = folder / "last.h5";
  std::vector<float> large(std::size_t{1} << 26U, 1.0F);  // 256 MiB
  CheckpointContents contents;
  contents.tensors = {{"model/large", DType::kF32, {1 << 26}, large.data()}};
  const auto peak_kib = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = peak_kib();
  write_checkpoint(path, contents);
  CheckpointFile(path).read_into<float>("model/large", large);
  CHECK(peak_kib() - before < 64 * 1024);
}

}  // namespace
}  // namespace rapt
