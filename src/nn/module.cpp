#include "nn/module.h"

namespace rapt {

std::vector<NamedParameter> parameters_of(Module& module) {
  std::vector<NamedParameter> parameters;
  ParameterVisitor visitor([&](const std::string& name, Variable& p) { parameters.push_back({name, p}); });
  module.visit(visitor);
  return parameters;
}

std::vector<Module*> modules_of(Module& module) {
  std::vector<Module*> modules = {&module};
  ParameterVisitor visitor([](const std::string&, Variable&) {}, [&](Module& part) { modules.push_back(&part); });
  module.visit(visitor);
  return modules;
}

Dim parameter_count(Module& module) {
  Dim count = 0;
  for (const NamedParameter& p : parameters_of(module)) count += p.variable.value().size();
  return count;
}

}  // namespace rapt
