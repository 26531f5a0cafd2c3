#include "io/durable_file.h"

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "io/crc32c.h"
#include "temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

TEST_CASE("the file appears at commit and not before; the old one stays until then") {
  const TemporaryFolder folder;
  const std::string path = folder / "last.h5";
  write_plainly(path, "old");
  {
    DurableFile file(path, 10);
    file.append("header----");
    CHECK(read_plainly(path) == "old");
    CHECK(std::filesystem::exists(path + ".tmp." + std::to_string(::getpid())));
    file.overwrite(0, "HEADER", 6);
    file.append("body");
    file.append_zeros(2);
    CHECK(file.size() == 16);
    file.commit();
  }
  CHECK(read_plainly(path) == std::string("HEADER----body\0\0", 16));
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("the checksum covers the appended bytes since it was restarted") {
  const TemporaryFolder folder;
  DurableFile file(folder / "a");
  file.append("header");
  file.restart_crc();
  file.append("12345");
  file.append("6789");
  CHECK(file.crc() == 0xE3069283);
  file.overwrite(0, "HEADER", 6);
  CHECK(file.crc() == 0xE3069283);
  CHECK_THROWS_AS(file.overwrite(12, "long", 4), BugError);
}

TEST_CASE("without a commit nothing changes and nothing is left behind") {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  write_plainly(path, "old");
  { DurableFile(path, 100).append("new"); }
  CHECK(read_plainly(path) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a file is as long as the written bytes, even if more were reserved") {
  const TemporaryFolder folder;
  DurableFile file(folder / "a", 100000);
  file.append("abc");
  file.commit();
  CHECK(std::filesystem::file_size(folder / "a") == 3);
}

TEST_CASE("a file that must not be replaced is refused, early or at the rename") {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  DurableFile file(path, 0, IfExists::kRefuse);
  file.append("new");
  write_plainly(path, "came in between");
  CHECK(message_of<CannotCreateError>([&] { file.commit(); }) ==
        path + ": exists already; choose another name or remove it");
  CHECK(read_plainly(path) == "came in between");
  CHECK(files_in(folder.path()) == 1);
  CHECK_THROWS_AS(write_file_durably(path, "x", IfExists::kRefuse), CannotCreateError);
  CHECK_NOTHROW(write_file_durably(folder / "b", "x", IfExists::kRefuse));
}

TEST_CASE("leftovers of killed writers do not block a save, and are removed when asked") {
  const TemporaryFolder folder;
  const std::string path = folder / "last.h5";
  write_plainly(path + ".tmp." + std::to_string(::getpid()), "half");
  write_plainly(folder / "best.h5.tmp.1.2", "half");
  write_plainly(folder / "notes.tmp.txt", "mine");
  write_plainly(folder / ".tmp.7", "mine");
  write_file_durably(path, "whole");
  CHECK(read_plainly(path) == "whole");
  const auto removed = remove_leftovers(folder.path());
  CHECK(removed.size() == 2);
  CHECK(files_in(folder.path()) == 3);
}

TEST_CASE("a target that cannot be created is an error before anything is written") {
  const TemporaryFolder folder;
  CHECK(message_of<CannotCreateError>([&] { write_file_durably(folder / "no/a", "x"); }) ==
        (folder / "no/a") + ": cannot be created, folder not found: " + (folder / "no"));
  CHECK(message_of<CannotCreateError>([&] { write_file_durably(folder.path(), "x"); }) ==
        folder.path() + ": cannot be written, it is a folder");
}

TEST_CASE("a save larger than the disk fails before writing, with needed and free bytes") {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  write_plainly(path, "old");
  const std::string error = message_of<IoError>([&] { DurableFile(path, std::uint64_t{1} << 50U); });
  const bool refused =
      error.find("1.0 PiB needed, ") != std::string::npos || error.find("1.0 PiB here") != std::string::npos;
  CHECK_MESSAGE(refused, error);
  CHECK(read_plainly(path) == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a disk that fills up leaves the old file whole") {
  const TemporaryFolder folder;
  if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    MESSAGE("skipped: mounting a small disk is not permitted here");
    return;
  }
  const std::string path = folder / "a";
  write_file_durably(path, std::string(400000, 'o'));
  const std::string more(700000, 'n');
  // Detected once by the reservation, once by the write itself.
  for (const std::uint64_t reserve : {std::uint64_t{more.size()}, std::uint64_t{0}}) {
    const std::string error = message_of<IoError>([&] {
      DurableFile file(path, reserve);
      file.append(more);
      file.commit();
    });
    CAPTURE(error);
    CHECK(error.find("disk full, 684 KiB needed, 6") != std::string::npos);
    CHECK(error.find(" free on the file system of " + folder.path()) != std::string::npos);
    CHECK(read_plainly(path) == std::string(400000, 'o'));
    CHECK(files_in(folder.path()) == 1);
  }
  ::umount(folder.path().c_str());
}

// Previously, Ctrl-C left `*.tmp.PID`: a signal runs no destructors.
TEST_CASE("a writer that a signal ends leaves no temporary files, whatever the signal and the number of files") {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    CAPTURE(number);
    const TemporaryFolder folder;
    write_plainly(folder / "a", "old");
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      std::signal(number, SIG_DFL);
      remove_temporary_files_on_signals();
      DurableFile first(folder / "a"), second(folder / "b", 1000);
      write_file_durably(folder / "c", "done");
      first.append("half");
      std::raise(number);
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == number);
    CHECK(files_in(folder.path()) == 2);
    CHECK(read_plainly(folder / "a") == "old");
    CHECK(read_plainly(folder / "c") == "done");
  }
}

TEST_CASE("a signal that is ignored stays ignored") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGHUP, SIG_IGN);
    remove_temporary_files_on_signals();
    std::raise(SIGHUP);
    ::_exit(7);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("a writer killed at any moment leaves the old file or the new one") {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  const std::string old_bytes(200000, 'o'), new_bytes(300000, 'n');
  for (int round = 0; round < 40; ++round) {
    write_file_durably(path, old_bytes);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      while (true) write_file_durably(path, new_bytes);
    }
    ::usleep(static_cast<useconds_t>(100 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string found = read_plainly(path);
    CHECK((found == old_bytes || found == new_bytes));
  }
}

}  // namespace
}  // namespace rapt
