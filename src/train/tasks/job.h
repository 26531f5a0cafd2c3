// What a run trains: network, batches and judgement, prepared from its settings by one function a family of tasks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "nn/models/any_network.h"
#include "text/corpus/corpus.h"
#include "text/tokenizer/tokenizer.h"
#include "train/files/checkpoint_file.h"
#include "train/files/pretrained.h"
#include "train/files/run_folder.h"
#include "train/metrics/evaluation.h"
#include "train/optimise/trainer.h"

namespace rapt {

struct Job {
  std::unique_ptr<AnyNetwork> network;
  std::shared_ptr<const Tokenizer> tokenizer;
  TrainingData data;
  double flop_per_token = 0;  ///< of an update; 0: not known

  /// Judges the network on what is held out, or on about `most` tokens of it, the same ones each time (0: on all); not
  /// set: nothing is held out.
  std::function<Evaluation(std::int64_t most)> evaluate;
  double held_out_tokens = 0;
  /// What Evaluation::score is: "loss" (its negative) or the name of one of the metrics.
  std::string metric = "loss";
  /// Bytes of held-out text that a prediction stands for, to tell a loss in bits a byte; 0: not known.
  double bytes_per_target = 0;
  /// A prompt and how the network goes on from it; not set for networks that do not write.
  std::function<std::pair<std::string, std::string>()> sample;
};

struct JobRequest {
  LayeredConfig& config;       ///< what was asked for; what is chosen and found in the data is put into it
  const RunFolder& folder;     ///< where tokenised data is kept
  const CheckpointFile* from;  ///< the checkpoint that is gone on from; nullptr: a new run
  const Notice& notice;        ///< told what was chosen
};

/// The task that is meant where none is given, by the model.
void choose_task(LayeredConfig& config);

/// Prepares the job of the configuration's task. The network has its first weights, or the checkpoint's.
/// \throws Error  as rapt train does (run.h)
Job prepare_job(const JobRequest& request);

// What the three have in common.

/// What a run begins with: the model of --init, whose structure is taken over into the request's settings; of a
/// checkpoint that is gone on from, the tokenizer alone; nothing for a new run.
/// \throws MissingInputError, DataError  as open_pretrained
/// \throws UsageError  a structure or a tokenizer was asked for that the model does not have
Pretrained start_of(const JobRequest& request);

/// The checkpoint's network, or one as the settings describe it: with the weights of the start as far as it has them,
/// with new ones elsewhere.
/// \param heads  whether the start's heads are wanted as well
std::unique_ptr<AnyNetwork> first_network(const JobRequest& request, const Pretrained& start, Dim vocabulary,
                                          bool heads);

Job prepare_language_model(const JobRequest& request);  ///< --task lm
Job prepare_masked_words(const JobRequest& request);    ///< --task mlm, mlm-nsp
Job prepare_labelled(const JobRequest& request);        ///< classify, regress, multilabel, tag, qa, choice

}  // namespace rapt
