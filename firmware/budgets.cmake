# SPDX-License-Identifier: Apache-2.0
# What the tests on boards hold the engine to; every figure is the same in every run. Lower them with what is gained.
get_filename_component(target ${CMAKE_TOOLCHAIN_FILE} NAME_WE)

# Bytes of the interpreter with the int8 operators of the MLPerf Tiny models, without the C library. Wanted: at most 24576
# on M4.
set(budget_text_cortex-m4 23430)
set(budget_text_cortex-m7 23410)
set(budget_text_cortex-m0plus 26640)

# Bytes of the raw model store with its driver and partition, and of what encrypts images. Wanted: at most 10240 on M4.
set(budget_store_text_cortex-m4 10210)
set(budget_store_text_cortex-m7 10240)
set(budget_store_text_cortex-m0plus 10940)

# Instructions of an inference of our own models.
set(budget_digits_cortex-m4 245300)
set(budget_digits_cortex-m7 245400)
set(budget_digits_cortex-m0plus 749000)
set(budget_sine_cortex-m4 4600)
set(budget_sine_cortex-m7 4600)
set(budget_sine_cortex-m0plus 9700)

# The same of models that others know too, where they are at hand: what we set out to need at most.
set(budget_kws_ref_model_cortex-m4 4600000)
set(budget_kws_ref_model_cortex-m0plus 20000000)
set(budget_pretrainedResnet_quant_cortex-m4 16500000)
set(budget_pretrainedResnet_quant_cortex-m0plus 66000000)
set(budget_vww_96_int8_cortex-m4 14500000)
set(budget_vww_96_int8_cortex-m0plus 60000000)
set(budget_ad01_int8_cortex-m4 400000)
set(budget_ad01_int8_cortex-m0plus 1500000)
set(budget_micro_speech_quantized_cortex-m4 600000)
set(budget_micro_speech_quantized_cortex-m0plus 2000000)
set(budget_person_detect_cortex-m4 13000000)
set(budget_person_detect_cortex-m0plus 58000000)

# Percent of instructions that an inference may take more if weights are streamed through a page of 1 KiB. Models whose
# work is in convolutions; digits is our own.
set(budget_streaming_digits 5)
set(budget_streaming_kws_ref_model 5)
set(budget_streaming_pretrainedResnet_quant 5)
set(budget_streaming_person_detect 5)
set(budget_streaming_vww_96_int8 5)

# Bytes of text and constants of all in formats/ that a device needs to read and judge manifests, signatures, root
# metadata, freshness and its own trust state, and to poll: CBOR, COSE_Sign1, SUIT, Merkle paths. Not counted: crypto/
# with Mbed TLS, base/, the C library. The second figure is with COSE_Encrypt and the opening of payload keys, which a
# device needs only if it takes encrypted payloads. Measured on the Cortex-M4 alone. Wanted: 10240.
set(budget_trust_text_cortex-m4 9430)
set(budget_payload_key_text_cortex-m4 10236)

# While an envelope is verified: bytes of stack, objects and Mbed TLS; instructions of the longest step, with as many
# curve operations as StepBudget allows.
set(budget_verify_ram 6144)
set(verify_step_operations 500)
set(budget_verify_step_cortex-m4 2000000)
