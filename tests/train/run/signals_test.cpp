#include "train/run/signals.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "io/durable_file.h"
#include "io/temporary_folder.h"

using namespace rapt;

TEST_CASE("the first signal is recorded by name and number") {
  for (const auto& [number, name] :
       {std::pair{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}, {SIGUSR1, "SIGUSR1"}}) {
    StopSignals signals;
    CHECK(signals.number() == 0);
    std::raise(number);
    CHECK(signals.number() == number);
    CHECK(std::string(StopSignals::name_of(signals.number())) == name);
  }
}

TEST_CASE("the second signal ends the process at once with 128 and its number") {
  const pid_t child = ::fork();
  if (child == 0) {
    StopSignals signals;
    std::raise(SIGINT);
    std::raise(SIGTERM);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 128 + SIGTERM);
}

TEST_CASE("the second signal removes the temporary files of whatever is being written") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    StopSignals signals;
    DurableFile file(folder / "data.h5");
    std::raise(SIGINT);
    std::raise(SIGINT);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 128 + SIGINT);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("INT counts even in a program that a script started in the background") {
  std::signal(SIGINT, SIG_IGN);
  {
    StopSignals signals;
    std::raise(SIGINT);
    CHECK(signals.number() == SIGINT);
  }
  std::signal(SIGINT, SIG_DFL);
}

TEST_CASE("handlers are restored, and HUP stays ignored under nohup") {
  struct sigaction before {
  }, after{};
  std::signal(SIGHUP, SIG_IGN);
  sigaction(SIGINT, nullptr, &before);
  {
    StopSignals signals;
    std::raise(SIGHUP);
    CHECK(signals.number() == 0);
  }
  sigaction(SIGINT, nullptr, &after);
  const bool same = before.sa_handler == after.sa_handler;
  CHECK(same);
  std::signal(SIGHUP, SIG_DFL);
}
