// Malicious checkpoint files: each must be rejected with its name, and no other file may be opened.
#include <doctest/doctest.h>
#include <hdf5.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "io/file.h"
#include "io/hdf5.h"
#include "temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

struct Hostile {
  std::string what;       // for the test's output
  std::string complaint;  // start of the error, after the file's name
  std::function<void(hid_t file, const std::string& folder)> make;
};

hid_t simple_space(std::vector<hsize_t> dims) {
  return H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
}

void make_dataset(hid_t file, const char* name, hid_t type, hid_t space, hid_t creation = H5P_DEFAULT) {
  const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  REQUIRE(dataset >= 0);
  H5Dclose(dataset);
  H5Sclose(space);
}

void make_attribute(hid_t object, const char* name, hid_t type, hid_t space) {
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  REQUIRE(attribute >= 0);
  H5Aclose(attribute);
  H5Sclose(space);
}

hid_t early_allocation() {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
  return creation;
}

const std::vector<Hostile>& hostile_files() {
  static const std::vector<Hostile> files = {
      {"soft link", "\"x\" must be a hard link",
       [](hid_t file, const std::string&) { H5Lcreate_soft("/y", file, "x", H5P_DEFAULT, H5P_DEFAULT); }},
      {"external link", "\"x\" must be a hard link",
       [](hid_t file, const std::string& folder) {
         H5Lcreate_external((folder + "/secret.h5").c_str(), "/y", file, "x", H5P_DEFAULT, H5P_DEFAULT);
       }},
      {"external storage", "\"x\" must not have its data in another file",
       [](hid_t file, const std::string& folder) {
         const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
         H5Pset_external(creation, (folder + "/secret").c_str(), 0, 64);
         make_dataset(file, "x", H5T_IEEE_F32LE, simple_space({16}), creation);
         H5Pclose(creation);
       }},
      {"virtual dataset", "\"x\" must be stored contiguously",
       [](hid_t file, const std::string& folder) {
         const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), source = simple_space({16}), space = simple_space({16});
         H5Pset_virtual(creation, space, (folder + "/secret.h5").c_str(), "/y", source);
         make_dataset(file, "x", H5T_IEEE_F32LE, space, creation);
         H5Sclose(source);
         H5Pclose(creation);
       }},
      {"chunks and deflate", "\"x\" must be stored contiguously",
       [](hid_t file, const std::string&) {
         const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
         const hsize_t chunk = 1U << 20U;
         H5Pset_chunk(creation, 1, &chunk);
         H5Pset_deflate(creation, 9);
         make_dataset(file, "x", H5T_IEEE_F32LE, simple_space({hsize_t{1} << 40U}), creation);
         H5Pclose(creation);
       }},
      {"never written, 64 TiB", "\"x\" has no data",
       [](hid_t file, const std::string&) {
         make_dataset(file, "x", H5T_IEEE_F32LE, simple_space({hsize_t{1} << 44U}));
       }},
      {"size beyond 63 bits", "\"x\": shape [",
       [](hid_t file, const std::string&) {
         make_dataset(file, "x", H5T_IEEE_F64LE, simple_space({hsize_t{1} << 31U, hsize_t{1} << 29U}));
       }},
      {"rank 32", "\"x\" must have a shape of at most 8 dimensions",
       [](hid_t file, const std::string&) {
         make_dataset(file, "x", H5T_IEEE_F32LE, simple_space(std::vector<hsize_t>(32, 1)));
       }},
      {"big-endian", "\"x\" must be of type",
       [](hid_t file, const std::string&) { make_dataset(file, "x", H5T_IEEE_F32BE, simple_space({4})); }},
      {"variable-length strings", "\"x\" must be a single string of fixed length",
       [](hid_t file, const std::string&) {
         const hid_t type = H5Tcopy(H5T_C_S1);
         H5Tset_size(type, H5T_VARIABLE);
         make_dataset(file, "x", type, simple_space({4}));
         H5Tclose(type);
       }},
      {"reference", "\"x\" must be of type",
       [](hid_t file, const std::string&) { make_dataset(file, "x", H5T_STD_REF_OBJ, simple_space({4})); }},
      {"compound", "\"x\" must be of type",
       [](hid_t file, const std::string&) {
         const hid_t type = H5Tcreate(H5T_COMPOUND, 8);
         H5Tinsert(type, "a", 0, H5T_IEEE_F64LE);
         make_dataset(file, "x", type, simple_space({4}));
         H5Tclose(type);
       }},
      {"committed type", "\"x\" must be a group or a dataset",
       [](hid_t file, const std::string&) {
         const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
         H5Tcommit2(file, "x", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
         H5Tclose(type);
       }},
      {"cycle of hard links", "the root group is linked a second time",
       [](hid_t file, const std::string&) {
         H5Gclose(H5Gcreate2(file, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
         H5Lcreate_hard(file, "/", file, "x/again", H5P_DEFAULT, H5P_DEFAULT);
       }},
      {"one dataset under two names", "\"x\" is linked a second time",
       [](hid_t file, const std::string&) {
         const hid_t creation = early_allocation();
         make_dataset(file, "x", H5T_IEEE_F32LE, simple_space({4}), creation);
         H5Lcreate_hard(file, "x", file, "y", H5P_DEFAULT, H5P_DEFAULT);
         H5Pclose(creation);
       }},
      {"deep groups", "\"g/g/g/g/g/g/g/g/g\" is nested deeper than 8 groups",
       [](hid_t file, const std::string&) {
         std::string path = "g";
         for (int i = 0; i < 200; ++i, path += "/g") {
           H5Gclose(H5Gcreate2(file, path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
         }
       }},
      {"attribute array", "attribute \"a\" of the root group must be a single value",
       [](hid_t file, const std::string&) { make_attribute(file, "a", H5T_IEEE_F64LE, simple_space({3})); }},
      {"attribute of another type", "attribute \"a\" of the root group must be of type I64, F64 or a string",
       [](hid_t file, const std::string&) { make_attribute(file, "a", H5T_IEEE_F32LE, H5Screate(H5S_SCALAR)); }},
      {"control characters in a name", "\"\\x1b[31mx\" must be a hard link",
       [](hid_t file, const std::string&) { H5Lcreate_soft("/y", file, "\x1b[31mx", H5P_DEFAULT, H5P_DEFAULT); }},
  };
  return files;
}

TEST_CASE("a file with more than contiguous numbers is rejected, naming the object") {
  const TemporaryFolder folder;
  write_plainly(folder / "secret", std::string(64, 's'));
  const std::string path = folder / "a.h5";
  for (const Hostile& hostile : hostile_files()) {
    CAPTURE(hostile.what);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
    REQUIRE(file >= 0);
    hostile.make(file, folder.path());
    H5Fclose(file);
    H5Pclose(access);
    const std::string error = message_of<DataError>([&] { read_hdf5_contents(MappedFile(path).bytes(), path); });
    CHECK_MESSAGE(error.rfind(path + ": " + hostile.complaint, 0) == 0, error);
  }
}

TEST_CASE("a dataset outside the file is rejected") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  const hid_t creation = early_allocation();
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  make_dataset(file, "x", H5T_IEEE_F32LE, simple_space({10000}), creation);
  H5Fclose(file);
  H5Pclose(access);
  H5Pclose(creation);
  CHECK_NOTHROW(read_hdf5_contents(MappedFile(path).bytes(), path));
  const std::string whole = read_plainly(path);
  for (const std::size_t kept : {whole.size() - 1, whole.size() - 20000}) {
    write_plainly(path, whole.substr(0, kept));
    CHECK_THROWS_AS(read_hdf5_contents(MappedFile(path).bytes(), path), DataError);
  }
}

}  // namespace
}  // namespace rapt
