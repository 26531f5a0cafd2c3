// What a run trains: network, batches and evaluation, built from a complete configuration.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "nn/models/any_network.h"
#include "train/files/tokenizers.h"
#include "train/metrics/evaluation.h"
#include "train/optimise/trainer.h"
#include "train/tasks/run_text.h"

namespace rapt {

struct Job {
  std::unique_ptr<AnyNetwork> network;
  Tokenizers tokenizers;
  std::optional<DataFiles> files;  ///< files of the data, if their digests are known
  TrainingData data;
  double flop_per_token = 0;  ///< of an update; 0: not known

  /// Evaluates the network on all held-out data, or on about `most` tokens of it, always the same ones (0: all); not
  /// set: nothing is held out. All processes of the team call it together, and have the same result.
  std::function<Evaluation(std::int64_t most, Team& team)> evaluate;
  double held_out_tokens = 0;
  /// The meaning of Evaluation::score: "loss" (its negative) or the name of one of the metrics.
  std::string metric = "loss";
  /// Bytes of held-out text per prediction, to convert a loss to bits per byte; 0: not known.
  double bytes_per_target = 0;
  /// A prompt and the network's continuation; not set for networks that do not generate text.
  std::function<std::pair<std::string, std::string>()> sample;
};

}  // namespace rapt
