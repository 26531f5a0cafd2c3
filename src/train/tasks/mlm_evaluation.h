// Evaluates masked words and next sentences: for the validation of a run and for rapt eval.
#pragma once

#include "nn/models/bert_pretraining.h"
#include "text/batches/instances.h"
#include "text/batches/mlm_batches.h"
#include "train/metrics/evaluation.h"
#include "train/settings/train_config.h"

namespace rapt {

/// How a run with these settings makes sequences from text.
InstanceOptions instance_options(const TrainConfig& config);

/// mlm_loss and mlm_accuracy and, if network and data have it, nsp_loss and nsp_accuracy; `loss` is the sum of both
/// losses, as in training.
/// \param batch  sequences per forward pass
/// \param tokens  of all held-out sequences; most: how many of them to read, 0: all
/// \param team    divides the batches among itself
Evaluation evaluate_masked_words(const BertPretraining& network, const MlmEvaluation& held_out, Dim batch,
                                 double tokens = 0, std::int64_t most = 0, Team& team = Team::alone());

/// The majority baselines: ratios from 0 to 1.
struct MaskedWordsMajority {
  double words = 0;   ///< always the most frequent masked word
  double pairs = -1;  ///< always the more frequent answer; -1 without pairs
};
MaskedWordsMajority majority_of(const MlmEvaluation& held_out, Dim vocabulary);

}  // namespace rapt
