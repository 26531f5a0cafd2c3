#include "io/safetensors_model.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "io/json.h"
#include "temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

// Three tensors "t0".."t2" of 4 floats, each filled with its number.
void write_model(const std::string& folder, std::uint64_t shard_bytes) {
  std::vector<SafetensorsSpec> specs;
  for (int i = 0; i < 3; ++i) specs.push_back({"t" + std::to_string(i), ElementType::kF32, {2, 2}});
  write_safetensors_model(
      folder, specs,
      [](std::size_t index, const ByteSink& sink) {
        const std::vector<float> values(4, static_cast<float>(index));
        sink(values.data(), 16);
      },
      shard_bytes);
}

TEST_CASE("a model is one file, or shards with an index; both read the same") {
  for (const std::uint64_t shard_bytes : {std::uint64_t{48}, std::uint64_t{32}, std::uint64_t{1}}) {
    CAPTURE(shard_bytes);
    const TemporaryFolder folder;
    write_model(folder.path(), shard_bytes);
    CHECK(files_in(folder.path()) == (shard_bytes == 48 ? 1 : shard_bytes == 32 ? 3 : 4));
    const SafetensorsModel model(folder.path());
    REQUIRE(model.tensors().size() == 3);
    CHECK(model.tensors()[1]->name == "t1");
    CHECK(model.find("t9") == nullptr);
    std::vector<float> values(4);
    for (int i = 0; i < 3; ++i) {
      model.read_f32("t" + std::to_string(i), values);
      CHECK(values == std::vector<float>(4, static_cast<float>(i)));
    }
    CHECK(message_of<DataError>([&] { model.read_f32("t9", values); }) == folder.path() + ": has no tensor \"t9\"");
  }
}

TEST_CASE("the index has total size and file names as Hugging Face writes them") {
  const TemporaryFolder folder;
  write_model(folder.path(), 32);
  const Json index = read_json_file(folder / "model.safetensors.index.json");
  CHECK(index["metadata"]["total_size"] == 48);
  CHECK(index["weight_map"]["t0"] == "model-00001-of-00002.safetensors");
  CHECK(index["weight_map"]["t2"] == "model-00002-of-00002.safetensors");
}

TEST_CASE("an index that points outside its folder, or disagrees with its files, is rejected") {
  const TemporaryFolder folder;
  write_model(folder.path(), 32);
  const std::string path = folder / "model.safetensors.index.json";
  const auto error = [&](const std::string& weight_map) {
    write_plainly(path, "{\"weight_map\":" + weight_map + "}");
    return message_of<DataError>([&] { SafetensorsModel{folder.path()}; });
  };
  for (const std::string name : {"../x.safetensors", "/etc/passwd", "a/../x.safetensors", "x\\u0000.safetensors", "",
                                 ".safetensors", "x.bin", "a b.safetensors", "\\u001b[31m.safetensors"}) {
    CAPTURE(name);
    CHECK(error("{\"t0\":\"" + name + "\"}")
              .rfind(path + ": weight_map \"t0\" must name a .safetensors file of the same folder, got \"", 0) == 0);
  }
  CHECK(error("{\"t0\":3}") == path + ": weight_map \"t0\" must name a .safetensors file of the same folder, got 3");
  CHECK(error("[]") == path + ": \"weight_map\" must be an object, got an array of 0");
  const std::string first = folder / "model-00001-of-00002.safetensors";
  CHECK(error(R"({"t0":"model-00001-of-00002.safetensors"})") ==
        first + ": tensor \"t1\" must be listed for this file in " + path);
  CHECK(error(R"({"t0":"model-00001-of-00002.safetensors","t2":"model-00001-of-00002.safetensors"})") ==
        first + ": has no tensor \"t2\", which " + path + " says is there");
  write_plainly(path, R"({"weight_map":{"t0":"model-00003-of-00002.safetensors"}})");
  CHECK_THROWS_AS(SafetensorsModel{folder.path()}, MissingInputError);
}

TEST_CASE("the error for a folder without weights names the files it has instead") {
  const TemporaryFolder folder;
  CHECK(message_of<MissingInputError>([&] { SafetensorsModel{folder.path()}; }) ==
        folder.path() + ": holds neither model.safetensors nor model.safetensors.index.json");
  write_plainly(folder / "pytorch_model.bin", "");
  CHECK(message_of<MissingInputError>([&] { SafetensorsModel{folder.path()}; }) ==
        folder.path() +
            ": holds neither model.safetensors nor model.safetensors.index.json; there is pytorch_model.bin,"
            " which has to be converted to safetensors first");
}

}  // namespace
}  // namespace rapt
