#include "train/run/progress.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace rapt;

static UpdateReport report() {
  return {.step = 120,
          .total_steps = 2000,
          .epoch = 0.31,
          .tokens = 92160,
          .loss = 2.41374,
          .learning_rate = 6e-4,
          .grad_norm = 0.871,
          .seconds = 63.2,
          .remaining_seconds = 980,
          .tokens_per_second = 41213,
          .share_of_peak = 0.712,
          .memory_bytes = 412000000};
}

TEST_CASE("the progress line is the documented one") {
  CHECK(progress_line(report()) ==
        "step   120/2000 (6.0%) | loss 2.4137 | lr 6.00e-04 | gnorm 0.87 | 41.2k tok/s | 71% of peak | 1m03s<16m20s | "
        "412 MB");
}

TEST_CASE("unknown values are left out of the line") {
  CHECK(progress_line({.step = 3, .loss = 1, .learning_rate = 1e-3, .grad_norm = 1, .seconds = 2}) ==
        "step     3 | loss 1.0000 | lr 1.00e-03 | gnorm 1.00 | 2.0s");
}

// Previously, it said "111% of peak" on a machine that was busy while its peak was measured.
TEST_CASE("a share above 1 means that the peak is not known, and is left out of line and event") {
  UpdateReport fast = report();
  fast.share_of_peak = 1.11;
  CHECK(progress_line(fast).find("| 41.2k tok/s | 1m03s<16m20s |") != std::string::npos);
  CHECK(to_json_line(train_event(fast)).find("share_of_peak") == std::string::npos);
  fast.share_of_peak = 1;
  CHECK(progress_line(fast).find("| 100% of peak |") != std::string::npos);
}

TEST_CASE("times and counts are short") {
  CHECK(short_time(9.84) == "9.8s");
  CHECK(short_time(59) == "59s");
  CHECK(short_time(63.2) == "1m03s");
  CHECK(short_time(7500) == "2h05m");
  CHECK(short_time(273600) == "3d04h");
  CHECK(short_time(-1) == "?");
  CHECK(short_count(950) == "950");
  CHECK(short_count(999.7) == "1.0k");
  CHECK(short_count(1.2e6) == "1.20M");
  CHECK(short_count(3e9) == "3.00G");
}

TEST_CASE("the bar fills its width and never more") {
  CHECK(progress_bar(report(), 79, false) ==
        "  6%|#                      | 120/2000 [1m03s<16m20s, 41.2k tok/s, loss 2.4137]");
  for (std::size_t width : {1u, 10u, 40u, 60u, 79u, 200u}) CHECK(progress_bar(report(), width, false).size() <= width);
  UpdateReport done = report();
  done.step = 2000;
  CHECK(progress_bar(done, 79, false).find("100%|#############") == 0);
}

TEST_CASE("the event has the numbers of the line, with those of the clock in a separate field") {
  CHECK(to_json_line(train_event(report())) ==
        "{\"event\":\"train\",\"step\":120,\"epoch\":0.31,\"tokens\":92160,\"loss\":2.41374,\"learning_rate\":0.0006,"
        "\"grad_norm\":0.871,"
        "\"wall_clock\":{\"seconds\":63.2,\"tokens_per_second\":41213.0,\"share_of_peak\":0.712,\"memory_bytes\":"
        "412000000}}");
}

TEST_CASE("without a bar there are plain lines and no control characters") {
  std::string shown;
  Progress progress(
      {}, [&](std::string_view text) { shown += text; }, nullptr);
  progress.tick(report());
  CHECK(shown.empty());
  progress.update(report());
  progress.validation(
      {.step = 120,
       .evaluation = {.loss = 2, .targets = 10, .metrics = {{"perplexity", 7.389}, {"bits_per_byte", 2.885}}},
       .best = true});
  progress.sample(120, "Once", " upon\na \033[31mtime");
  progress.leave_bar();
  CHECK(shown ==
        "step   120/2000 (6.0%) | loss 2.4137 | lr 6.00e-04 | gnorm 0.87 | 41.2k tok/s | 71% of peak | 1m03s<16m20s | "
        "412 MB\n"
        "validation at step 120 | loss 2.0000 | perplexity 7.39 | 2.8850 bits per byte | best\n"
        "sample at step 120:\n"
        "  Once upon\n"
        "  a \\x1b[31mtime\n");
}

TEST_CASE("a bar rewrites one line, and other lines push it down") {
  std::string shown;
  Progress progress(
      {.bar = true, .unicode = false, .width = 80}, [&](std::string_view text) { shown += text; }, nullptr);
  progress.update(report());
  progress.tick(report());  // too soon after the last one
  CHECK(shown == "\r" + progress_bar(report(), 79, false) + "\033[K");
  shown.clear();
  progress.sample(7, "Once", " upon");
  CHECK(shown == "\r\033[Ksample at step 7:\n  Once upon\n");
  shown.clear();
  progress.leave_bar();
  CHECK(shown.empty());
}

TEST_CASE("quiet runs show nothing") {
  std::string shown;
  Progress progress(
      {.bar = true, .quiet = true}, [&](std::string_view text) { shown += text; }, nullptr);
  progress.tick(report());
  progress.update(report());
  progress.sample(7, "Once", " upon");
  CHECK(shown.empty());
}

TEST_CASE("a validation line shows the deciding metric and two others; the log has all") {
  std::string shown;
  Progress progress(
      {}, [&](std::string_view text) { shown += text; }, nullptr);
  ValidationReport report;
  report.step = 7;
  report.evaluation.loss = 0.5;
  report.evaluation.metrics = {
      {"accuracy", 0.8}, {"majority_accuracy", 0.6}, {"f1", 0.7}, {"f1_macro", 0.65}, {"matthews", 0.25}};
  report.metric = "matthews";
  progress.validation(report);
  CHECK(shown == "validation at step 7 | loss 0.5000 | matthews 0.2500 | accuracy 0.8000 | majority accuracy 0.6000\n");
  for (const auto& [metric, value] : report.evaluation.metrics) {
    const std::string& name = metric;
    CAPTURE(name);
    const auto& fields = validation_event(report).fields;
    CHECK(std::ranges::any_of(fields, [&](const auto& field) { return field.first == name; }));
  }
  shown.clear();
  report.evaluation.metrics = {{"mlm_loss", 3}, {"mlm_accuracy", 0.3}, {"nsp_loss", 0.6}, {"nsp_accuracy", 0.7}};
  report.metric = "loss";
  progress.validation(report);
  CHECK(shown ==
        "validation at step 7 | loss 0.5000 | mlm loss 3.0000 | mlm accuracy 0.3000 | nsp loss 0.6000 | nsp "
        "accuracy 0.7000\n");
}
