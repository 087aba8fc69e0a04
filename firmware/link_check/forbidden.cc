// SPDX-License-Identifier: Apache-2.0
// Breaks every rule that the link check knows, to prove that it sees.
#include <cstdlib>

namespace ota::firmware {

void* AllocateInC(size_t size) { return std::malloc(size); }
int* AllocateInCpp() { return new int; }
void ReleaseInCpp(int* pointer) { delete pointer; }
double AddDoubles(double left, double right) { return left + right; }
bool IsDoubleBelow(double left, double right) { return left < right; }
double WidenFloat(float value) { return static_cast<double>(value); }

}  // namespace ota::firmware
