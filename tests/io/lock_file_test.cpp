#include "io/lock_file.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

TEST_CASE("a second run in the folder is rejected, naming the holder of the lock") {
  const TemporaryFolder folder;
  const auto first = std::make_unique<FolderLock>(folder.path());
  CHECK(first->enforced());
  const std::string error = message_of<CannotCreateError>([&] { FolderLock{folder.path()}; });
  CHECK(error.rfind(folder.path() + " is in use by pid " + std::to_string(::getpid()) + " on host ", 0) == 0);
  CHECK(error.find(" since ") != std::string::npos);
  CHECK(error.find("; use another --out or stop that run") != std::string::npos);
}

TEST_CASE("a lock ends with its holder, also by kill -9, and is taken over") {
  const TemporaryFolder folder;
  { const FolderLock lock(folder.path()); }
  CHECK_NOTHROW(FolderLock{folder.path()});

  int ready[2] = {};
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const FolderLock lock(folder.path());
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  const std::string error = message_of<CannotCreateError>([&] { FolderLock{folder.path()}; });
  CHECK(error.find("in use by pid " + std::to_string(child) + " on") != std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK_NOTHROW(FolderLock{folder.path()});
}

TEST_CASE("a lock that cannot be created is an error") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(FolderLock{folder / "absent"}, CannotCreateError);
  std::filesystem::create_directory(folder / "lock");
  CHECK_THROWS_AS(FolderLock{folder.path()}, CannotCreateError);
}

TEST_CASE("text from another run's lock is escaped") {
  const TemporaryFolder folder;
  const FolderLock lock(folder.path());
  write_plainly(folder / "lock", "1\x1b[31m host 2020-01-01 00:00:00\n");
  CHECK(message_of<CannotCreateError>([&] { FolderLock{folder.path()}; }) ==
        folder.path() +
            " is in use by pid 1\\x1b[31m on host host since 2020-01-01 00:00:00; use another --out or stop that run");
}

}  // namespace
}  // namespace rapt
