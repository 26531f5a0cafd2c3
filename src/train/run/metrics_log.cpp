#include "train/run/metrics_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "io/escape.h"
#include "io/file.h"
#include "io/json.h"
#include "tensor/error.h"

namespace rapt {

static Json object(const MetricFields& fields) {
  Json out = Json::object();
  for (const auto& [name, value] : fields) {
    const std::string& key = name;
    std::visit([&](const auto& v) { out[key] = v; }, value);
  }
  return out;
}

std::string to_json_line(const MetricEvent& event) {
  Json line = {{"event", event.name}, {"step", event.step}};
  line.update(object(event.fields));
  if (!event.wall_clock.empty()) line["wall_clock"] = object(event.wall_clock);
  // A sample may end inside a character; the log must still be valid JSON.
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

static std::string trouble(const std::string& path, const char* what) {
  return escape_for_terminal(path) + ": cannot " + what + ": " + system_message(errno);
}

/// The step of a line; nothing if it is not an event.
static std::optional<std::int64_t> step_of(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) return std::nullopt;
  return json["step"].get<std::int64_t>();
}

static std::string read_all(int fd, const std::string& path) {
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw IoError(trouble(path, "read"));
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

/// Bytes of the events up to `step`.
static std::size_t length_up_to(const std::string& text, std::int64_t step, const std::string& path) {
  std::size_t kept = 0, bad_line = 0;
  bool cut = false;
  for (std::size_t begin = 0, number = 1; begin < text.size(); ++number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // a crash tore the last line
    const std::optional<std::int64_t> at = step_of(text.substr(begin, end - begin));
    begin = end + 1;
    if (!at && bad_line == 0) bad_line = number;
    cut = cut || !at || *at > step;
    if (at && *at <= step && bad_line != 0)
      throw DataError(escape_for_terminal(path) + ": line " + std::to_string(bad_line) +
                      " is not an event; move the file away to resume without the earlier metrics");
    if (!cut) kept = begin;
  }
  return kept;
}

MetricsLog::MetricsLog(std::string path, std::optional<std::int64_t> resume_from) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) throw CannotCreateError(trouble(path_, "open"));
  try {
    const std::size_t kept = resume_from ? length_up_to(read_all(fd_, path_), *resume_from, path_) : 0;
    if (::ftruncate(fd_, static_cast<off_t>(kept)) != 0) throw IoError(trouble(path_, "truncate"));
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

MetricsLog::~MetricsLog() { ::close(fd_); }

void MetricsLog::write(const MetricEvent& event) {
  const std::string line = to_json_line(event) + '\n';
  struct stat before {};
  if (::fstat(fd_, &before) != 0) throw IoError(trouble(path_, "write"));
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t wrote = ::write(fd_, line.data() + done, line.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const std::string message = trouble(path_, "write");
      // A torn line would make the file unreadable for others; if removing it fails, the file is no worse than before.
      if (done > 0 && ::ftruncate(fd_, before.st_size) != 0) throw IoError(message + "; its last line is incomplete");
      throw IoError(message);
    }
    done += static_cast<std::size_t>(wrote);
  }
}

void MetricsLog::sync() {
  if (::fsync(fd_) != 0) throw IoError(trouble(path_, "write to disk"));
}

}  // namespace rapt
