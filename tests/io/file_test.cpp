#include "io/file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstring>
#include <string>

#include "temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

TEST_CASE("a whole file is read, and one over the limit is rejected") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.txt";
  const std::string bytes("abc\0\xff\n", 6);
  write_plainly(path, bytes);
  CHECK(read_file(path) == bytes);
  CHECK(read_file(path, {.max_bytes = 6}) == bytes);
  CHECK(message_of<DataError>([&] { read_file(path, {.max_bytes = 5}); }) == path + ": must be at most 5 bytes, got 6");
  write_plainly(path, "");
  CHECK(read_file(path).empty());
}

TEST_CASE("a missing file is named, with the similar one beside it") {
  const TemporaryFolder folder;
  write_plainly(folder / "tokenizer.json", "{}");
  const std::string path = folder / "tokeniser.json";
  CHECK(message_of<MissingInputError>([&] { read_file(path); }) ==
        path + ": no such file; did you mean " + (folder / "tokenizer.json") + "?");
  CHECK(message_of<MissingInputError>([&] { read_file(folder / "corpus.txt"); }) ==
        (folder / "corpus.txt") + ": no such file");
  CHECK(message_of<MissingInputError>([&] { read_file(folder / "no/such/x"); }) ==
        (folder / "no/such/x") + ": no such file");
  CHECK(message_of<MissingInputError>([&] { read_file("/nowhere/a\x1b[31m"); }) == "/nowhere/a\\x1b[31m: no such file");
}

TEST_CASE("folders, pipes and devices are rejected at once if a regular file is required") {
  const TemporaryFolder folder;
  CHECK(message_of<DataError>([&] { read_file(folder.path()); }) == folder.path() + ": must be a file, got a folder");
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(message_of<DataError>([&] { read_file(pipe); }) == pipe + ": must be a regular file, got a pipe");
  CHECK(message_of<DataError>([&] { MappedFile{pipe}; }) == pipe + ": must be a regular file, got a pipe");
  CHECK(message_of<DataError>([&] { read_file("/dev/zero"); }) == "/dev/zero: must be a regular file, got a device");
  CHECK(message_of<DataError>([&] { read_file("/dev/zero", {.max_bytes = 10000, .regular_only = false}); }) ==
        "/dev/zero: must be at most 10000 bytes, got more");
}

TEST_CASE("a mapped file shows the file's bytes; an empty one is empty") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.bin";
  write_plainly(path, "hello");
  MappedFile file(path);
  REQUIRE(file.size() == 5);
  CHECK(std::memcmp(file.data(), "hello", 5) == 0);
  const std::byte* address = file.data();
  MappedFile moved = std::move(file);
  CHECK(moved.data() == address);
  write_plainly(folder / "empty", "");
  CHECK(MappedFile(folder / "empty").bytes().empty());
  CHECK_THROWS_AS(MappedFile(folder / "absent"), MissingInputError);
}

TEST_CASE("reading past the end says where the file ends") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.bin";
  write_plainly(path, "0123456789");
  const FileDescriptor file = open_regular_file(path);
  std::string bytes(4, ' ');
  read_at(file, path, 3, bytes.data(), 4);
  CHECK(bytes == "3456");
  CHECK(file_size(file, path) == 10);
  CHECK(message_of<DataError>([&] { read_at(file, path, 8, bytes.data(), 4); }) ==
        path + ": ends at byte 10, 2 bytes too early; the file is truncated");
}

}  // namespace
}  // namespace rapt
