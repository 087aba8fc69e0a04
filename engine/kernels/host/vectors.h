// SPDX-License-Identifier: Apache-2.0
#pragma once

// How functions of a host's kernels are compiled: each for processors with and without AVX2, and
// the one that the processor can run is chosen when the program starts. Sanitized programs have one
// version only, since they are not set up yet when that choice is made.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define OTA_VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define OTA_VECTOR_CLONES
#endif

// For what such a function is made of: it becomes a part of both versions.
#define OTA_VECTOR_PART inline __attribute__((always_inline))
