// Modules own parameters and list them. visit() is the only list of a module's members; its names become the keys of
// checkpoints.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/variable.h"

namespace rapt {

class Module;

/// Walks a tree of modules and calls back for every parameter with its name, "blocks.0.norm1.gain", and for every
/// module before its parameters.
class ParameterVisitor {
 public:
  using Callback = std::function<void(const std::string& name, Variable& parameter)>;
  using ModuleCallback = std::function<void(Module& module)>;

  explicit ParameterVisitor(Callback callback, ModuleCallback on_module = nullptr)
      : callback_(std::move(callback)), on_module_(std::move(on_module)) {}

  /// A parameter that is switched off (such as a missing bias) is undefined and skipped.
  void parameter(std::string_view name, Variable& parameter) {
    if (parameter.defined()) callback_(prefix_ + std::string(name), parameter);
  }
  template <typename M>
  void child(std::string_view name, M& module) {
    const std::size_t length = prefix_.size();
    prefix_.append(name).push_back('.');
    if (on_module_) on_module_(module);
    module.visit(*this);
    prefix_.resize(length);
  }
  template <typename M>
  void children(std::string_view name, std::vector<M>& modules) {
    for (std::size_t i = 0; i < modules.size(); ++i) child(std::string(name) + "." + std::to_string(i), modules[i]);
  }

 private:
  Callback callback_;
  ModuleCallback on_module_;
  std::string prefix_;
};

/// Anything that has parameters.
class Module {
 public:
  virtual ~Module() = default;
  virtual void visit(ParameterVisitor& v) = 0;

 protected:
  Module() = default;
  Module(const Module&) = default;
  Module(Module&&) = default;
  Module& operator=(const Module&) = default;
  Module& operator=(Module&&) = default;
};

struct NamedParameter {
  std::string name;
  Variable variable;
};

/// All parameters in the order of visit().
std::vector<NamedParameter> parameters_of(Module& module);
/// The module and all its submodules, recursively.
std::vector<Module*> modules_of(Module& module);
/// Total number of elements of all parameters.
Dim parameter_count(Module& module);

}  // namespace rapt
