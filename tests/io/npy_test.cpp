#include "io/npy.h"

#include <doctest/doctest.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/temporary_folder.h"
#include "tensor/error.h"

using namespace rapt;
using namespace std::string_literals;

TEST_CASE("a file has NumPy's header, to the byte, and the floats behind it") {
  const TemporaryFolder folder;
  const std::vector<float> values = {1.0F, -2.5F, 0.0F, 3.25F, 1e-30F, 7.0F};
  NpyWriter writer(folder / "e.npy", 2);
  writer.append({values.data(), 4});
  writer.append({});
  writer.append({values.data() + 4, 2});
  CHECK(writer.rows() == 3);
  writer.finish();

  const std::string bytes = read_plainly(folder / "e.npy");
  std::string header = "\x93NUMPY\x01\x00\x76\x00"s + "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";
  header.resize(127, ' ');
  header += '\n';
  REQUIRE(bytes.size() == 128 + values.size() * sizeof(float));
  CHECK(bytes.substr(0, 128) == header);
  CHECK(std::memcmp(bytes.data() + 128, values.data(), values.size() * sizeof(float)) == 0);
}

TEST_CASE("no rows are an array of none") {
  const TemporaryFolder folder;
  NpyWriter writer(folder / "e.npy", 384);
  writer.finish();
  const std::string bytes = read_plainly(folder / "e.npy");
  CHECK(bytes.size() == 128);
  CHECK(bytes.find("'shape': (0, 384), }") != std::string::npos);
}

TEST_CASE("the file appears only when it is finished; half a row is rejected") {
  const TemporaryFolder folder;
  {
    NpyWriter writer(folder / "e.npy", 3);
    const std::vector<float> values(4);
    CHECK_THROWS_AS(writer.append(values), std::invalid_argument);
    CHECK(writer.rows() == 0);
  }
  CHECK(files_in(folder.path()) == 0);
  CHECK_THROWS_AS(NpyWriter(folder / "e.npy", 0), std::invalid_argument);
  CHECK_THROWS_AS(NpyWriter(folder / "missing/e.npy", 1), CannotCreateError);
}
