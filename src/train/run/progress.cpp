#include "train/run/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "io/escape.h"
#include "train/metrics/metric.h"

namespace rapt {

std::string short_time(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  if (seconds < 10) return fmt::format("{:.1f}s", seconds);
  const auto s = static_cast<long long>(std::llround(seconds));
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s % 3600 / 60);
  return fmt::format("{}d{:02}h", s / 86400, s % 86400 / 3600);
}

std::string short_count(double count) {
  if (count >= 999.5e6) return fmt::format("{:.2f}G", count / 1e9);
  if (count >= 999.5e3) return fmt::format("{:.2f}M", count / 1e6);
  if (count >= 999.5) return fmt::format("{:.1f}k", count / 1e3);
  return fmt::format("{:.0f}", count);
}

// If the machine was busy, or its clock slow, when the peak was measured, a run may exceed it later: then the peak is
// not known.
static bool knows_share(const UpdateReport& r) { return r.share_of_peak > 0 && r.share_of_peak <= 1; }

static double percent(const UpdateReport& r) {
  return 100.0 * static_cast<double>(r.step) / static_cast<double>(r.total_steps);
}

static std::string clock(const UpdateReport& r) {
  return short_time(r.seconds) + (r.remaining_seconds >= 0 ? "<" + short_time(r.remaining_seconds) : "");
}

std::string progress_line(const UpdateReport& r) {
  std::string line = r.total_steps > 0 ? fmt::format("step {:5}/{} ({:.1f}%)", r.step, r.total_steps, percent(r))
                                       : fmt::format("step {:5}", r.step);
  line += fmt::format(" | loss {:.4f} | lr {:.2e} | gnorm {:.2f}", r.loss, r.learning_rate, r.grad_norm);
  if (r.tokens_per_second > 0) line += " | " + short_count(r.tokens_per_second) + " tok/s";
  if (knows_share(r)) line += fmt::format(" | {:.0f}% of peak", 100 * r.share_of_peak);
  line += " | " + clock(r);
  if (r.memory_bytes > 0) line += fmt::format(" | {:.0f} MB", static_cast<double>(r.memory_bytes) / 1e6);
  return line;
}

/// `cells` columns, filled to `share`; block characters show eighths of a column.
static std::string bar_of(double share, std::size_t cells, bool unicode) {
  static const std::array<const char*, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double filled = std::clamp(share, 0.0, 1.0) * static_cast<double>(cells);
  const auto whole = static_cast<std::size_t>(filled);
  std::string bar;
  for (std::size_t i = 0; i < whole; ++i) bar += unicode ? "█" : "#";
  std::size_t used = whole;
  const auto eighths = static_cast<std::size_t>((filled - static_cast<double>(whole)) * 8);
  if (unicode && used < cells && eighths > 0) bar += kEighths[eighths], ++used;
  return bar + std::string(cells - used, ' ');
}

std::string progress_bar(const UpdateReport& r, std::size_t width, bool unicode) {
  const bool has_end = r.total_steps > 0;
  std::string right = has_end ? fmt::format("| {}/{} [", r.step, r.total_steps) : fmt::format("{} [", r.step);
  right += clock(r) + (r.tokens_per_second > 0 ? ", " + short_count(r.tokens_per_second) + " tok/s" : "");
  right += fmt::format(", loss {:.4f}]", r.loss);
  if (!has_end) return right.substr(0, width);
  const std::string left = fmt::format("{:3.0f}%|", std::floor(percent(r)));
  const std::size_t used = left.size() + right.size();
  // Too narrow for a bar: only the numbers, truncated and not wrapped, because a wrapped line cannot be rewritten.
  if (used + 4 > width) return (left + right).substr(0, width);
  return left + bar_of(percent(r) / 100, width - used, unicode) + right;
}

MetricEvent train_event(const UpdateReport& r) {
  MetricEvent event{"train", r.step, {}, {}};
  event.fields = {{"epoch", r.epoch},
                  {"tokens", r.tokens},
                  {"loss", r.loss},
                  {"learning_rate", r.learning_rate},
                  {"grad_norm", r.grad_norm}};
  event.wall_clock = {{"seconds", r.seconds}, {"tokens_per_second", r.tokens_per_second}};
  if (knows_share(r)) event.wall_clock.emplace_back("share_of_peak", r.share_of_peak);
  event.wall_clock.emplace_back("memory_bytes", static_cast<std::int64_t>(r.memory_bytes));
  return event;
}

MetricEvent validation_event(const ValidationReport& r) {
  MetricEvent event{"validation", r.step, {}, {{"seconds", r.seconds}}};
  event.fields = {{"epoch", r.epoch}, {"loss", r.evaluation.loss}};
  for (const auto& [name, value] : r.evaluation.metrics) event.fields.emplace_back(name, value);
  event.fields.emplace_back("tokens", r.evaluation.targets);
  if (r.evaluation.share < 1) event.fields.emplace_back("share", r.evaluation.share);
  event.fields.emplace_back("best", r.best);
  if (r.averaged > 0) event.fields.emplace_back("averaged", r.averaged);
  return event;
}

Progress::Progress(ProgressOptions options, Sink sink, MetricsLog* log)
    : options_(options), sink_(std::move(sink)), log_(log) {}

void Progress::draw(const UpdateReport& report) {
  // \033[K erases the rest of a longer bar.
  sink_("\r" + progress_bar(report, options_.width > 1 ? options_.width - 1 : 1, options_.unicode) + "\033[K");
  drawn_ = true;
  last_draw_ = std::chrono::steady_clock::now();
}

void Progress::line(std::string_view text) {
  if (options_.quiet) return;
  const std::string end = "\n";
  sink_((drawn_ ? "\r\033[K" : "") + std::string(text) + end);
  drawn_ = false;
}

void Progress::tick(const UpdateReport& report) {
  if (options_.quiet || !options_.bar) return;
  const auto now = std::chrono::steady_clock::now();
  if (last_draw_ && now - *last_draw_ < std::chrono::milliseconds(100)) return;
  draw(report);
}

void Progress::update(const UpdateReport& report) {
  if (!options_.quiet) {
    if (options_.bar)
      draw(report);
    else
      line(progress_line(report));
  }
  if (log_) log_->write(train_event(report));
}

static std::string metric_text(const std::string& name, double value) {
  if (name == "bits_per_byte") return fmt::format("{:.4f} bits per byte", value);
  std::string words = name;
  std::replace(words.begin(), words.end(), '_', ' ');
  return fmt::format("{} {:.{}f}", words, value, name == "perplexity" ? 2 : 4);
}

// The metrics that fit on a line: the deciding one and the first two others, or all of them if they are few.
static MetricValues shown_metrics(const ValidationReport& r) {
  constexpr std::size_t kFew = 4, kRoom = 3;
  const MetricValues& all = r.evaluation.metrics;
  if (all.size() <= kFew) return all;
  MetricValues shown;
  for (const auto& value : all) {
    if (value.first == r.metric) shown.push_back(value);
  }
  for (const auto& value : all) {
    if (shown.size() < kRoom && value.first != r.metric) shown.push_back(value);
  }
  return shown;
}

void Progress::validation(const ValidationReport& r) {
  std::string text = fmt::format("validation at step {} | ", r.step);
  if (r.averaged > 0) text += fmt::format("average of the last {} checkpoints | ", r.averaged);
  text += fmt::format("loss {:.4f}", r.evaluation.loss);
  for (const auto& [name, value] : shown_metrics(r)) text += " | " + metric_text(name, value);
  if (r.evaluation.share < 1)
    text +=
        fmt::format(" | on {:.{}f}% of the held-out data", 100 * r.evaluation.share, r.evaluation.share < 0.1 ? 1 : 0);
  if (r.best) text += options_.colour ? " | \033[32mbest\033[0m" : " | best";
  line(text);
  if (log_) log_->write(validation_event(r));
}

/// A model's text for a terminal: line ends are kept, other control characters are escaped.
static std::string shown_lines(std::string_view text) {
  std::string out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += "  " + escape_for_terminal(text.substr(begin, end - begin)) + (end < text.size() ? "\n" : "");
    begin = end + 1;
  }
  return out;
}

void Progress::sample(std::int64_t step, std::string_view prompt, std::string_view text) {
  line(fmt::format("sample at step {}:", step));
  line(shown_lines(std::string(prompt) + std::string(text)));
  if (log_) log_->write({"sample", step, {{"prompt", std::string(prompt)}, {"text", std::string(text)}}, {}});
}

void Progress::end(std::int64_t step, std::string_view reason, double seconds) {
  if (log_) log_->write({"end", step, {{"reason", std::string(reason)}}, {{"seconds", seconds}}});
}

void Progress::leave_bar() {
  if (drawn_) sink_("\n");
  drawn_ = false;
}

}  // namespace rapt
