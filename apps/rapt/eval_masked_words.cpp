#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "evaluate.h"
#include "io/json.h"
#include "tensor/error.h"
#include "terminal.h"
#include "text/batches/token_store.h"
#include "train/tasks/mlm_evaluation.h"
#include "train/tasks/run_text.h"

namespace rapt::app {

namespace fs = std::filesystem;

namespace {

// A name in the folder for temporary files, removed on destruction. Files open under it stay readable.
class TemporaryName {
 public:
  explicit TemporaryName(const char* end)
      : path_((fs::temp_directory_path() / fmt::format("rapt-{}{}", ::getpid(), end)).string()) {}
  ~TemporaryName() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The text as sequences, made as in the model's run; all of it is used for evaluation.
TokenStore build_store(const TrainConfig& config, const Tokenizer& tokenizer) {
  InstanceOptions instances = instance_options(config);
  instances.passes = 1;
  const TemporaryName file(".h5");
  const Notice note = [](const std::string& text) { say(text); };
  return build_token_store(*open_corpus(config, note), nullptr, tokenizer, file.path(),
                           {.validation_fraction = 0, .instances = instances});
}

}  // namespace

int eval_masked_words(const Arguments& arguments, const Pretrained& model, Team& team) {
  arguments.required("data");
  const BertPretraining& network = model.masked();
  const Tokenizer& tokenizer = require_tokenizer(model);
  TrainConfig config = model.config;
  config.data = arguments.list("data");
  if (model.step == 0) config.documents = "paragraph";  // no run that would set it
  config.max_length = arguments.whole("context", config.max_length, 0, config.context);

  const bool built = is_given_store(config);
  const TokenStore store = built ? TokenStore::open(config.data[0]) : build_store(config, tokenizer);
  if (!store.instance_options()) {
    throw DataError("eval: " + store.path() + " holds no sequences for masked words; build it with rapt data build " +
                    "--task " + config.task + ", or give text");
  }
  store.require_tokenizer(tokenizer);
  if (store.instance_options()->context > config.context) {
    throw UsageError(fmt::format("eval: {} has sequences of {} tokens, the model accepts at most {}", store.path(),
                                 store.instance_options()->context, config.context));
  }
  MaskingOptions masking = store.masking();
  if (!built) {
    masking.probability = config.mlm_probability;
    masking.most = config.max_predictions;
    masking.whole_words = config.whole_word;
  }
  const Part part = store.instances(Part::kValidation).size() > 0 ? Part::kValidation : Part::kTrain;
  const MlmEvaluation held_out(store, tokenizer, part, masking);
  const Dim batch = std::max<Dim>(1, kEvaluationRows / store.instance_options()->context);
  const Evaluation result = evaluate_masked_words(network, held_out, batch, 0, 0, team);
  if (result.targets > 0 && !std::isfinite(result.loss)) throw not_finite("eval: the loss", result.loss);
  const MaskedWordsMajority majority = majority_of(held_out, network.backbone().vocabulary());

  Json json;
  json["loss"] = result.loss;
  for (const auto& [name, value] : result.metrics) {
    json[name] = value;
    if (name == "mlm_accuracy") json["mlm_majority_accuracy"] = majority.words;
    if (name == "nsp_accuracy") json["nsp_majority_accuracy"] = majority.pairs;
  }
  json["targets"] = result.targets;
  json["sequences"] = held_out.sequences();
  json["context"] = store.instance_options()->context;
  json["model"] = model.source;
  if (arguments.has("json")) {
    out(json.dump() + "\n");
    return 0;
  }
  out(fmt::format("masked words   loss {:.4f}, accuracy {:.4f} of {} (majority baseline: {:.4f})\n",
                  json["mlm_loss"].get<double>(), json["mlm_accuracy"].get<double>(), fmt::group_digits(result.targets),
                  majority.words));
  if (json.contains("nsp_loss")) {
    out(fmt::format("next sentence  loss {:.4f}, accuracy {:.4f} of {} (majority baseline: {:.4f})\n",
                    json["nsp_loss"].get<double>(), json["nsp_accuracy"].get<double>(),
                    fmt::group_digits(held_out.sequences()), majority.pairs));
  }
  return 0;
}

}  // namespace rapt::app
