#include "train/run/metrics_log.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tensor/error.h"

using namespace rapt;
namespace fs = std::filesystem;

namespace {

struct TestFile {
  fs::path folder = fs::temp_directory_path() / ("rapt_metrics_" + std::to_string(::getpid()));
  std::string path = (folder / "metrics.jsonl").string();
  TestFile() { fs::create_directories(folder); }
  ~TestFile() { fs::remove_all(folder); }
  std::string read() const {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
};

MetricEvent train(std::int64_t step, double loss) {
  return {"train", step, {{"loss", loss}}, {{"seconds", 0.5 * double(step)}}};
}

}  // namespace

TEST_CASE("an event is one JSON object, with values that depend on the clock in a separate field") {
  MetricEvent event{"train",
                    7,
                    {{"loss", 0.1}, {"tokens", std::int64_t{5}}, {"text", std::string("a\n\"b\xff")}},
                    {{"seconds", 1.5}}};
  CHECK(to_json_line(event) ==
        "{\"event\":\"train\",\"step\":7,\"loss\":0.1,\"tokens\":5,\"text\":\"a\\n\\\"b\xef\xbf\xbd\",\"wall_clock\":{"
        "\"seconds\":1.5}}");
  event.fields = {{"loss", std::nan("")}, {"best", true}};
  event.wall_clock.clear();
  CHECK(to_json_line(event) == "{\"event\":\"train\",\"step\":7,\"loss\":null,\"best\":true}");
}

TEST_CASE("a resumed log equals an uninterrupted one, wherever the run was interrupted") {
  TestFile undisturbed;
  {
    MetricsLog log(undisturbed.path, std::nullopt);
    for (int step = 1; step <= 6; ++step) log.write(train(step, 1.0 / step));
  }
  const std::string whole = undisturbed.read();
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    CAPTURE(cut);
    undisturbed.write(whole.substr(0, cut));
    const auto lines =
        static_cast<std::int64_t>(std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut), '\n'));
    MetricsLog log(undisturbed.path, lines);
    for (std::int64_t step = lines + 1; step <= 6; ++step)
      log.write(train(static_cast<int>(step), 1.0 / static_cast<double>(step)));
    REQUIRE(undisturbed.read() == whole);
  }
}

TEST_CASE("events after the resumed step are removed, those of the step itself stay") {
  TestFile file;
  file.write(
      "{\"event\":\"train\",\"step\":1}\n{\"event\":\"train\",\"step\":2}\n{\"event\":\"validation\",\"step\":2}\n"
      "{\"event\":\"train\",\"step\":3}\n");
  { MetricsLog log(file.path, 2); }
  CHECK(file.read() ==
        "{\"event\":\"train\",\"step\":1}\n{\"event\":\"train\",\"step\":2}\n{\"event\":\"validation\",\"step\":2}\n");
  { MetricsLog log(file.path, 0); }
  CHECK(file.read().empty());
}

TEST_CASE("a new run empties the log") {
  TestFile file;
  file.write("old\n");
  { MetricsLog log(file.path, std::nullopt); }
  CHECK(file.read().empty());
}

TEST_CASE("a torn tail is dropped, damage before events that count is an error and changes nothing") {
  TestFile file;
  file.write("{\"event\":\"train\",\"step\":1}\n{\"event\":\"tr");
  { MetricsLog log(file.path, 5); }
  CHECK(file.read() == "{\"event\":\"train\",\"step\":1}\n");

  const std::string damaged = "{\"event\":\"train\",\"step\":1}\n????\n{\"event\":\"train\",\"step\":2}\n";
  file.write(damaged);
  const std::string message =
      file.path + ": line 2 is not an event; move the file away to resume without the earlier metrics";
  CHECK_THROWS_WITH_AS(MetricsLog(file.path, 2), message.c_str(), DataError);
  CHECK(file.read() == damaged);
}

TEST_CASE("a log that cannot be opened or written says so") {
  CHECK_THROWS_AS(MetricsLog("/nonexistent-folder/metrics.jsonl", std::nullopt), CannotCreateError);
}
