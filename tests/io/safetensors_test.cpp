#include "io/safetensors.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "io/durable_file.h"
#include "io/json.h"
#include "sha256.h"
#include "shared_data.h"
#include "temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

std::string file_of(const std::string& header, const std::string& data) {
  std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

struct Fixture {
  TemporaryFolder folder;
  std::string path = folder / "model.safetensors";

  std::string error(const std::string& bytes) const {
    write_plainly(path, bytes);
    return message_of<DataError>([&] { SafetensorsFile{path}; });
  }
  // The message for a header, without the file's name.
  std::string header_error(const std::string& header, std::size_t data_bytes = 0) const {
    const std::string message = error(file_of(header, std::string(data_bytes, '\0')));
    return message.rfind(path + ": ", 0) == 0 ? message.substr(path.size() + 2) : message;
  }
};

TEST_CASE("the reference implementation's verdicts on its own test files are ours") {
  const std::string folder = shared_data("data/fixtures/safetensors/reference-tests");
  if (folder.empty()) return;
  std::ifstream table(folder + "/expected.tsv");
  std::string line;
  std::getline(table, line);
  int files = 0;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string name, bytes, verdict;
    std::getline(fields, name, '\t');
    std::getline(fields, bytes, '\t');
    std::getline(fields, verdict, '\t');
    const std::string path = folder + '/' + name;
    CAPTURE(name);
    const std::string error = message_of<DataError>([&] { SafetensorsFile{path}; });
    CAPTURE(error);
    CHECK((error == "no error") == (verdict == "OK"));
    if (error != "no error") CHECK(error.rfind(path + ": ", 0) == 0);
    ++files;
  }
  CHECK(files == 12);
}

TEST_CASE("real files hold the listed tensors, byte for byte") {
  const std::string folder = shared_data("data/fixtures/safetensors/files");
  if (folder.empty()) return;
  std::ifstream table(folder + "/contents.tsv");
  std::string line;
  std::getline(table, line);
  int tensors = 0;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string name, tensor, type, shape, hash, values;
    std::getline(fields, name, '\t');
    std::getline(fields, tensor, '\t');
    std::getline(fields, type, '\t');
    std::getline(fields, shape, '\t');
    std::getline(fields, hash, '\t');
    std::getline(fields, values, '\t');
    CAPTURE(name);
    CAPTURE(tensor);
    const SafetensorsFile file(folder + '/' + name);
    const SafetensorsEntry* entry = file.find(tensor);
    REQUIRE(entry != nullptr);
    CHECK(name_of(entry->type) == type);
    CHECK(shape_text(entry->shape) == shape);
    CHECK(sha256_hex(file.read_bytes(*entry)) == hash);
    std::vector<float> numbers(static_cast<std::size_t>(entry->count()));
    file.read_f32(*entry, numbers);
    const Json first = parse_json(values, "contents.tsv");
    for (std::size_t i = 0; i < first.size(); ++i) {
      CHECK(numbers[i] == static_cast<float>(first[i].get<double>()));
    }
    ++tensors;
  }
  CHECK(tensors >= 10);
}

TEST_CASE("written files are what the reference implementation writes") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.safetensors";
  const std::vector<float> b = {1.0F, -0.0F, std::numeric_limits<float>::quiet_NaN()}, a = {2.0F};
  const std::vector<double> d = {0.5};
  const std::vector<std::int32_t> i = {7, 8};
  write_safetensors(path, {{"b", DType::kF32, {3, 1}, b.data()},
                           {"i", DType::kI32, {2}, i.data()},
                           {"d", DType::kF64, {}, d.data()},
                           {"a", DType::kF32, {1}, a.data()},
                           {"none", DType::kF32, {0, 3}, nullptr}});
  const std::string bytes = read_plainly(path);
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"d":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
      R"("a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[3,1],"data_offsets":[12,24]},)"
      R"("none":{"dtype":"F32","shape":[0,3],"data_offsets":[24,24]},"i":{"dtype":"I32","shape":[2],"data_offsets":[24,32]}})";
  CHECK(bytes.substr(8, header.size()) == header);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);
  CHECK(length - header.size() < 8);
  CHECK(bytes.size() == 8 + length + 32);

  const SafetensorsFile file(path);
  CHECK(file.metadata() == SafetensorsMetadata{{"format", "pt"}});
  REQUIRE(file.tensors().size() == 5);
  std::vector<float> back(3);
  file.read_f32(*file.find("b"), back);
  CHECK(std::memcmp(back.data(), b.data(), 12) == 0);
  CHECK(file.find("none")->count() == 0);
  CHECK(file.find("absent") == nullptr);
  CHECK(message_of<DataError>([&] { file.read_f32(*file.find("a"), back); }) ==
        path + ": tensor \"a\" must have 3 elements, got [1]");
  CHECK_THROWS_AS(write_safetensors(path, {{"a", DType::kF32, {1}, a.data()}, {"a", DType::kF32, {1}, a.data()}}),
                  std::invalid_argument);
  CHECK_THROWS_AS(write_safetensors(path, {{"__metadata__", DType::kF32, {1}, a.data()}}), std::invalid_argument);
}

TEST_CASE("an empty list of tensors is a file too") {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", std::vector<NamedTensorView>{}, {});
  CHECK(SafetensorsFile(folder / "a.safetensors").tensors().empty());
}

TEST_CASE("halves and bfloats are read as exact floats, in pieces too") {
  const TemporaryFolder folder;
  const std::size_t count = 300001;
  std::vector<std::uint16_t> halves(count);
  for (std::size_t i = 0; i < count; ++i) halves[i] = static_cast<std::uint16_t>(i * 31);
  for (const ElementType type : {ElementType::kF16, ElementType::kBF16}) {
    const std::string path = folder / "a.safetensors";
    write_safetensors(path, {{"x", type, {static_cast<Dim>(count)}}},
                      [&](std::size_t, const ByteSink& sink) { sink(halves.data(), 2 * count); });
    const SafetensorsFile file(path);
    std::vector<float> read(count), expected(count);
    file.read_f32(*file.find("x"), read);
    convert_to_f32(type, halves.data(), expected.data(), count);
    CHECK(std::memcmp(read.data(), expected.data(), 4 * count) == 0);
  }
}

TEST_CASE("writing too few or too many bytes is a bug, and leaves no file") {
  const TemporaryFolder folder;
  for (const std::size_t bytes : {3, 5}) {
    CHECK_THROWS_AS(write_safetensors(folder / "a", {{"x", ElementType::kF32, {1}}},
                                      [&](std::size_t, const ByteSink& sink) { sink("12345", bytes); }),
                    BugError);
  }
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("every malformed header is a clear error") {
  const Fixture f;
  const auto entry = [](const std::string& name, const std::string& shape, const std::string& offsets) {
    return '"' + name + R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + '}';
  };
  const std::string damaged = "; the file is damaged or not a safetensors file";
  CHECK(f.header_error("{" + entry("a", "[1]", "[0,4]") + "}", 4) == "no error");
  CHECK(f.header_error("  {" + entry("a", "[1]", "[0,4]") + "}   ", 4) == "no error");
  CHECK(f.header_error("{" + entry("h.3.attn.c_attn.weight", "[768,2304]", "[0,4]") + "}", 4) ==
        "tensor \"h.3.attn.c_attn.weight\": data_offsets [0, 4] cover 4 bytes but shape [768, 2304] F32 needs 7077888" +
            damaged);
  CHECK(f.header_error("{" + entry("a", "[1]", "[0,4]") + "," + entry("b", "[1]", "[8,12]") + "}", 12) ==
        "tensor \"b\": data_offsets must begin at 4, where the one before ends, got 8" + damaged);
  CHECK(f.header_error("{" + entry("a", "[2]", "[0,8]") + "," + entry("b", "[1]", "[4,8]") + "}", 8) ==
        "tensor \"b\": data_offsets must begin at 8, where the one before ends, got 4" + damaged);
  CHECK(f.header_error("{" + entry("a", "[1]", "[0,4]") + "}", 5) ==
        "the tensors must cover all data, 5 bytes, got 4" + damaged);
  CHECK(f.header_error("{" + entry("a", "[2]", "[0,8]") + "}", 7) ==
        "the tensors must cover all data, 7 bytes, got 8; the file is truncated");
  CHECK(f.header_error("{" + entry("a", "[]", "[4,0]") + "}", 4) ==
        "tensor \"a\": data_offsets [4, 0] must not end before they begin");
  CHECK(f.header_error("{" + entry("a", "[-1]", "[0,4]") + "}", 4) ==
        "tensor \"a\": \"shape\" must hold non-negative integers, got -1");
  CHECK(f.header_error("{" + entry("a", "[1.0]", "[0,4]") + "}", 4) ==
        "tensor \"a\": \"shape\" must hold non-negative integers, got 1.0");
  CHECK(f.header_error("{" + entry("a", "[1,1,1,1,1,1,1,1,1]", "[0,4]") + "}", 4) ==
        "tensor \"a\": \"shape\" must have at most 8 numbers");
  CHECK(f.header_error("{" + entry("a", "[4294967296,4294967296]", "[0,0]") + "}") ==
        "tensor \"a\": shape [4294967296, 4294967296] of F32 is larger than any file");
  CHECK(f.header_error("{" + entry("a", "[9223372036854775808,0]", "[0,0]") + "}") ==
        "tensor \"a\": \"shape\" must hold non-negative integers, got 9223372036854775808");
  CHECK(f.header_error("{" + entry("a", "[1]", "[0,4,8]") + "}", 4) ==
        "tensor \"a\": \"data_offsets\" must have 2 numbers");
  CHECK(f.header_error("{" + entry("a", "[1]", "[0]") + "}", 4) ==
        "tensor \"a\": \"data_offsets\" must have 2 numbers");
  CHECK(f.header_error("{" + entry("a", "[1]", "[0,4]") + "," + entry("a", "[1]", "[0,4]") + "}", 4)
            .find("key \"a\" occurs twice in the same object") != std::string::npos);
  CHECK(f.header_error(R"({"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}})", 1) ==
        "tensor \"a\": dtype must be F64, F32, F16, BF16, I64, I32, U16, U8 or BOOL, got \"F8\"");
  CHECK(f.header_error(R"({"a":{"dtype":"F32","shape":[1]}})") ==
        "tensor \"a\": must have dtype, shape and data_offsets, one is missing");
  CHECK(f.header_error(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4) ==
        "tensor \"a\": must have dtype, shape and data_offsets, got \"x\"");
  CHECK(f.header_error(R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}})", 4) ==
        "tensor \"a\": \"dtype\" must be a string, got 1");
  CHECK(f.header_error(R"({"a":{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]}})", 4) ==
        "tensor \"a\": \"dtype\" must be a string, got an array");
  CHECK(f.header_error(R"({"a":{"dtype":"F32","shape":{},"data_offsets":[0,4]}})", 4) ==
        "tensor \"a\": \"shape\" must be an array, got an object");
  CHECK(f.header_error(R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4) ==
        "tensor \"a\": \"shape\" must hold non-negative integers, got an array");
  CHECK(f.header_error(R"({"a":3})") == "tensor \"a\": must be an object, got 3");
  CHECK(f.header_error(R"({"__metadata__":{"a":1}})") == "__metadata__ \"a\" must be a string, got 1");
  CHECK(f.header_error("[]") == "the header must be an object, got an array");
  CHECK(f.header_error("{\"a\xff\":3}").find("malformed JSON") != std::string::npos);
  CHECK(f.header_error("{} x").find("malformed JSON") != std::string::npos);
  CHECK(f.header_error("{\"\x1b[31m\":3}").find('\x1b') == std::string::npos);
}

TEST_CASE("impossible lengths are rejected before anything is allocated") {
  const Fixture f;
  const auto with_length = [](std::uint64_t length) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    return bytes + "{}";
  };
  CHECK(f.error("") == f.path + ": not a safetensors file: must be at least 8 bytes, got 0");
  CHECK(f.error(with_length(100'000'001)) ==
        f.path + ": not a safetensors file: the header must be at most 100000000 bytes, got 100000001");
  CHECK(f.error(with_length(~std::uint64_t{0})).find("18446744073709551615") != std::string::npos);
  CHECK(f.error(with_length(3)) ==
        f.path +
            ": the header of 3 bytes does not fit the file of 10; the file is truncated or not a safetensors file");
  CHECK(f.error(with_length(2)) == "no error");
}

TEST_CASE("65,536 tensors are read, one more is refused") {
  const Fixture f;
  const auto header = [](int tensors) {
    std::string text = "{";
    for (int i = 0; i < tensors; ++i) {
      text += (i ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
    }
    return text + '}';
  };
  CHECK(f.header_error(header(65536)) == "no error");
  CHECK(f.header_error(header(65537)) == "must have at most 65536 tensors");
}

}  // namespace
}  // namespace rapt
