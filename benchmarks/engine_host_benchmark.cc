// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "benchmarks/model_timer.h"

// How fast the host's kernels are: microseconds of an inference, beside those of our reference
// kernels at -O3, and of TensorFlow Lite Micro's wheel where build/models-venv has it. Run it in
// the root of the repository.

namespace ota::benchmarks {
namespace {

const char* const kModels[] = {
    "mlperf_tiny/kws_ref_model.tflite",      "mlperf_tiny/pretrainedResnet_quant.tflite",
    "mlperf_tiny/vww_96_int8.tflite",        "mlperf_tiny/ad01_int8.tflite",
    "article/micro_speech_quantized.tflite", "tflm/person_detect.tflite"};

// Numbers that a program prints, a line each; none if it fails.
std::vector<double> RunAndRead(const std::string& command) {
  std::vector<double> numbers;
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return numbers;
  for (double number = 0; std::fscanf(pipe, "%lf", &number) == 1;) numbers.push_back(number);
  if (pclose(pipe) != 0) numbers.clear();
  return numbers;
}

class RatioColumn {
 public:
  explicit RatioColumn(std::vector<double> times) : times_(std::move(times)) {}

  void Print(size_t row, double ours) {
    if (row >= times_.size()) {
      std::printf(" %12s %7s", "-", "-");
      return;
    }
    std::printf(" %12.1f %7.2f", times_[row] / 1000, times_[row] / ours);
    sum_of_logarithms_ += std::log(times_[row] / ours);
    ++count_;
  }
  void PrintMean() const {
    if (count_ == 0) return (void)std::printf(" %12s %7s", "", "-");
    std::printf(" %12s %7.2f", "", std::exp(sum_of_logarithms_ / count_));
  }

 private:
  std::vector<double> times_;
  double sum_of_logarithms_ = 0;
  int count_ = 0;
};

void PrintTable(const std::filesystem::path& folder, const std::filesystem::path& programs) {
  std::string paths;
  for (const char* const model : kModels) paths += " " + (folder / model).string();
  RatioColumn reference(RunAndRead((programs / "reference_times").string() + paths));
  RatioColumn tflm(
      RunAndRead("build/models-venv/bin/python benchmarks/tflm_times.py" + paths + " 2>/dev/null"));
  std::printf("%-36s %12s %12s %7s %12s %7s\n", "microseconds of an inference", "ours", "reference",
              "times", "TFLM wheel", "times");
  for (size_t i = 0; i < std::size(kModels); ++i) {
    const double ours = MeasureInference(folder / kModels[i]);
    std::printf("%-36s %12.1f", kModels[i], ours / 1000);
    reference.Print(i, ours);
    tflm.Print(i, ours);
    std::printf("\n");
  }
  std::printf("%-36s %12s", "geometric mean", "");
  reference.PrintMean();
  tflm.PrintMean();
  std::printf("\n");
}

}  // namespace
}  // namespace ota::benchmarks

int main(int, char** arguments) {
  const std::filesystem::path folder = OTA_SHARED_DIR "/models";
  if (!std::filesystem::exists(folder)) {
    std::printf("skipped: no models in %s\n", folder.c_str());
    return 0;
  }
  try {
    ota::benchmarks::PrintTable(folder, std::filesystem::path(arguments[0]).parent_path());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "engine_host_benchmark: %s\n", error.what());
    return 1;
  }
  return 0;
}
