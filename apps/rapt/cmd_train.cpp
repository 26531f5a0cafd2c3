// rapt train: trains a model on text, or resumes training.
#include "commands.h"
#include "training.h"

namespace rapt::app {

static int run_train(const Arguments& arguments) {
  return run_training_command(arguments, config_of(arguments), "train");
}

Command train_command() {
  std::vector<Option> options = setting_options();
  for (Option& option : training_options()) options.push_back(std::move(option));
  return {.name = "train",
          .summary = "train a model on text; every option has a default chosen from the data and the machine",
          .arguments = "[FILE|FOLDER|-]...",
          .most = 1 << 20,
          .examples = {"rapt train my.txt", "rapt train --preset shakespeare-char-cpu --data F --out runs/s",
                       "rapt train T.tsv --task classify --minutes 3 --out runs/scratch",
                       "rapt train my.txt --model bert", "rapt train --resume runs/s"},
          .options = options,
          .in_team = true,
          .run = run_train};
}

}  // namespace rapt::app
