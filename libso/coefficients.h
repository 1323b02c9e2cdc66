/* coefficients.h: printed by proofs/coefficients.c, which derives and certifies it; do not edit.
 *
 * exp(A) = c(X) + A s(X), X = A A, c(X) = cos sqrt(-X), s(X) = sinc sqrt(-X), A real skew with angles <= theta.
 *   so_*_p*_c, _s   element k multiplies X^k; the constant terms are 1, so that exp(0) = I exactly
 *   so_*_y*_c, _s   element k multiplies Y^k, Y = I + SCALE X, with the spectrum in [-1, 1]
 *   so_f64_y12_*_B  c (or s) = B1 + (B2 + q) q, q = B3 + B4 B4, Bj = b0 I + b1 Y + b2 Y^2 + b3 Y^3
 *   so_*_y*_*_at    element j + SO_CENTRES is c (or s) at Y = y I, y the centre j / SO_CENTRES
 * THETA bounds the angles for the value, THETA_DERIVATIVE for derivatives (vjp, jvp).
 * The errors named are proved for the machine numbers below, in u = 2^-53 (f64) or 2^-24 (f32), exact arithmetic.
 * The values at centres are proved to be those of the polynomials with these machine numbers, correctly rounded.
 * SPDX-License-Identifier: MIT */
#ifndef SO_COEFFICIENTS_H
#define SO_COEFFICIENTS_H

#ifndef SO_COEFFICIENTS /* device code says where its tables stand */
#define SO_COEFFICIENTS static const
#endif

#define SO_CENTRES 16 /* centres y = j / SO_CENTRES, |j| <= SO_CENTRES: y^4 is exact in f32 */

/* f64, degree 4 in X, theta 0.1867: |p(it) - e^(it)| <= 0.591 u; its derivative <= 8.8 u up to 0.177365. */
#define SO_F64_P4_THETA 0.1867
#define SO_F64_P4_THETA_DERIVATIVE 0.177365
SO_COEFFICIENTS double so_f64_p4_c[5] = {0x1p+0, 0x1.000000000003bp-1, 0x1.55555554fd5a9p-5, 0x1.6c16b9eb02554p-10,
    0x1.9fc4a24d3d42dp-16};
SO_COEFFICIENTS double so_f64_p4_s[5] = {0x1p+0, 0x1.555555555554bp-3, 0x1.11111110ebc0cp-7, 0x1.a019fc65f21a9p-13,
    0x1.71a23ce078e68p-19};

/* f64, degree 6 in X, theta 0.756: |p(it) - e^(it)| <= 0.912 u; its derivative <= 13.0 u up to 0.6804. */
#define SO_F64_P6_THETA 0.756
#define SO_F64_P6_THETA_DERIVATIVE 0.6804
SO_COEFFICIENTS double so_f64_p6_c[7] = {0x1p+0, 0x1.ffffffffffffcp-2, 0x1.555555555479cp-5, 0x1.6c16c169e55eap-10,
    0x1.a019fd882f178p-16, 0x1.27e186dcbc723p-22, 0x1.1c3c9b317222p-29};
SO_COEFFICIENTS double so_f64_p6_s[7] = {0x1p+0, 0x1.5555555555555p-3, 0x1.1111111110d7ep-7, 0x1.a01a019eee65dp-13,
    0x1.71de38266590ap-19, 0x1.ae60a639afc38p-26, 0x1.5e44a59b361d2p-33};

/* f64, degree 12 in Y, theta 5.0: |p(it) - e^(it)| <= 0.891 u; its derivative <= 12.4 u up to 4.75. */
#define SO_F64_Y12_THETA 5.0
#define SO_F64_Y12_THETA_DERIVATIVE 4.75
#define SO_F64_Y12_SCALE 0x1.47ae147ae147bp-4 /* Y = I + SCALE X */
SO_COEFFICIENTS double so_f64_y12_c_B1[4] = {-0x1.d8c856aa62a3cp-1, -0x1.5b66d33c740f3p-1, 0x1.351152a93e759p+1, 0x1.490314c45318ap-2};
SO_COEFFICIENTS double so_f64_y12_c_B2[4] = {0x0p+0, 0x1.3c09d75b27dc9p+2, 0x1.c233b866dadc9p-1, 0x1.c8a5c299c3cfcp-5};
SO_COEFFICIENTS double so_f64_y12_c_B3[4] = {-0x1.0c6f7a0b61d8dp-20, -0x1.f1e414f293a54p-3, 0x1.1af6aede6d064p-8, -0x1.4d8157329c8dap-14};
SO_COEFFICIENTS double so_f64_y12_c_B4[4] = {0x0p+0, 0x1.c2e9d08fc77e6p-2, 0x1.6da8bf1f280f7p-6, 0x1.0ee30c058eec3p-9};
SO_COEFFICIENTS double so_f64_y12_s_B1[4] = {-0x1.bcad52b5939fcp-4, 0x1.a1320b9401737p-2, 0x1.b362f9fa6e6aep-3, 0x1.6c01213388236p-8};
SO_COEFFICIENTS double so_f64_y12_s_B2[4] = {0x0p+0, 0x1.151eed03ddbf3p+1, 0x1.27964bc4e879ep-2, 0x1.ca7e8ecb880e7p-7};
SO_COEFFICIENTS double so_f64_y12_s_B3[4] = {0x1.0c6f7a0b6198dp-20, 0x1.d7badfc3f2adfp-4, 0x1.bb6f59286c624p-9, 0x1.777ea3c93536dp-11};
SO_COEFFICIENTS double so_f64_y12_s_B4[4] = {0x0p+0, 0x1.e999a68d24d12p-3, 0x1.68c8f883515c9p-7, 0x1.e5c2827fd0c7cp-11};
SO_COEFFICIENTS double so_f64_y12_c_at[2 * SO_CENTRES + 1] = {
    0x1.22785706b4adap-2, 0x1.a8a77145203fep-3, 0x1.0722a48b8e0eep-3, 0x1.84b8c49ed0a12p-5,
    -0x1.21423d25d0d3ep-5, -0x1.e8b275b7ad778p-4, -0x1.a1cebd42d2047p-3, -0x1.27bac982b7af1p-2,
    -0x1.7df8fca8c2eb8p-2, -0x1.d2e304e11a1dap-2, -0x1.12d3f05a4a549p-1, -0x1.3ab1bc9947653p-1,
    -0x1.608ec7d2ab54p-1, -0x1.83e44fe7db39ep-1, -0x1.a4205b28667f6p-1, -0x1.c0a51d644cbd5p-1,
    -0x1.d8c856aa6070dp-1, -0x1.ebd2ab7d11a7cp-1, -0x1.f8fef6466a82dp-1, -0x1.ff7991d27cc64p-1,
    -0x1.fe5f9c95eb7bcp-1, -0x1.f4be34849da72p-1, -0x1.e191ab3aff16dp-1, -0x1.c3c4b23a8227p-1,
    -0x1.9a2f7ef858b7dp-1, -0x1.6396e67b9355dp-1, -0x1.1eab70460379ep-1, -0x1.9410c082c122p-2,
    -0x1.90cadda11bc8bp-3, 0x1.467d51f4c324p-5, 0x1.42e3dd88bd95p-2, 0x1.44afba74a69fbp-1,
    0x1.fffffffffffffp-1};
SO_COEFFICIENTS double so_f64_y12_s_at[2 * SO_CENTRES + 1] = {
    -0x1.88c67f7e6e0f6p-3, -0x1.971c0f91f8dabp-3, -0x1.a386db4b2a12p-3, -0x1.adc7be3eb1aa7p-3,
    -0x1.b59b9639fc51cp-3, -0x1.babb15bbf0397p-3, -0x1.bcda94d4cf029p-3, -0x1.bba9e06150056p-3,
    -0x1.b6d40794b9ad4p-3, -0x1.adff27c5726cep-3, -0x1.a0cc366f31e1ap-3, -0x1.8ed6c95da912cp-3,
    -0x1.77b4dcf2253eep-3, -0x1.5af698765b66dp-3, -0x1.3826106e339bdp-3, -0x1.0ec706da1212ep-3,
    -0x1.bcad52b582082p-4, -0x1.4c969a4f82e31p-4, -0x1.9850a321a7fa6p-5, -0x1.d190b7fda05ccp-7,
    0x1.aa2f6d24dfaebp-6, 0x1.23614a5aa5223p-4, 0x1.f1ae9a2f4bf53p-4, 0x1.6b72b9464f902p-3,
    0x1.ea44b494c7781p-3, 0x1.3b0c2c500c92dp-2, 0x1.87e1342c0412bp-2, 0x1.dc10d6b5eab27p-2,
    0x1.1c07d6299a9a2p-1, 0x1.4e2bd95389e68p-1, 0x1.84b43fe74347p-1, 0x1.bfe3bb999c969p-1,
    0x1p+0};

/* f32, degree 4 in X, theta 1.398: |p(it) - e^(it)| <= 0.793 u; its derivative <= 8.1 u up to 1.3281. */
#define SO_F32_P4_THETA 1.398f
#define SO_F32_P4_THETA_DERIVATIVE 1.3281f
SO_COEFFICIENTS float so_f32_p4_c[5] = {0x1p+0f, 0x1.fffffcp-2f, 0x1.55544p-5f, 0x1.6bc03ep-10f,
    0x1.8e522p-16f};
SO_COEFFICIENTS float so_f32_p4_s[5] = {0x1p+0f, 0x1.555554p-3f, 0x1.1110aap-7f, 0x1.9fda88p-13f,
    0x1.64c8eap-19f};

/* f32, degree 6 in Y, theta 3.5: |p(it) - e^(it)| <= 1.258 u; its derivative <= 4.6 u up to 3.325. */
#define SO_F32_Y6_THETA 3.5f
#define SO_F32_Y6_THETA_DERIVATIVE 3.325f
#define SO_F32_Y6_SCALE 0x1.4e5e0ap-3f /* Y = I + SCALE X */
SO_COEFFICIENTS float so_f32_y6_c[7] = {-0x1.925b94p-1f, 0x1.87ce28p-1f, 0x1.9601a6p-1f, 0x1.9c0a1cp-3f,
    0x1.925c74p-6f, 0x1.d5defcp-10f, 0x1.6d39acp-14f};
SO_COEFFICIENTS float so_f32_y6_s[7] = {0x1.ffbed6p-3f, 0x1.0925a6p-1f, 0x1.93a2d2p-3f, 0x1.06c4c4p-5f,
    0x1.7e6e08p-9f, 0x1.651f06p-13f, 0x1.c87cb8p-18f};
SO_COEFFICIENTS float so_f32_y6_c_at[2 * SO_CENTRES + 1] = {
    -0x1.df774p-1f, -0x1.e8a1ecp-1f, -0x1.f06d6cp-1f, -0x1.f6c1ap-1f,
    -0x1.fb8594p-1f, -0x1.fe9f6ep-1f, -0x1.fff476p-1f, -0x1.ff6906p-1f,
    -0x1.fce08ap-1f, -0x1.f83d7cp-1f, -0x1.f16158p-1f, -0x1.e82c98p-1f,
    -0x1.dc7eb4p-1f, -0x1.ce3614p-1f, -0x1.bd300cp-1f, -0x1.a948d8p-1f,
    -0x1.925b94p-1f, -0x1.784234p-1f, -0x1.5ad57cp-1f, -0x1.39edp-1f,
    -0x1.155f18p-1f, -0x1.da01a4p-2f, -0x1.814bf4p-2f, -0x1.20420ap-2f,
    -0x1.6d0c4ap-3f, -0x1.0edee6p-4f, 0x1.c46478p-5f, 0x1.7d59ep-3f,
    0x1.4f1296p-2f, 0x1.ea29aep-2f, 0x1.4830bep-1f, 0x1.a1163p-1f,
    0x1.fffffep-1f};
SO_COEFFICIENTS float so_f32_y6_s_at[2 * SO_CENTRES + 1] = {
    -0x1.9a844p-4f, -0x1.631b7cp-4f, -0x1.27d3f4p-4f, -0x1.d11542p-5f,
    -0x1.4a3742p-5f, -0x1.7588c4p-6f, -0x1.138a82p-8f, 0x1.fc3c68p-7f,
    0x1.2a0bep-5f, 0x1.ded5eap-5f, 0x1.4ee008p-4f, 0x1.b38f9p-4f,
    0x1.0ed27cp-3f, 0x1.46a656p-3f, 0x1.815a14p-3f, 0x1.bf04fap-3f,
    0x1.ffbed6p-3f, 0x1.21d002p-2f, 0x1.4560b6p-2f, 0x1.6a9e48p-2f,
    0x1.9195cp-2f, 0x1.ba547p-2f, 0x1.e4e7fcp-2f, 0x1.08af2ap-1f,
    0x1.1fe2dcp-1f, 0x1.38165cp-1f, 0x1.51511ep-1f, 0x1.6b9abcp-1f,
    0x1.86fafep-1f, 0x1.a379d6p-1f, 0x1.c11f64p-1f, 0x1.dff3f4p-1f,
    0x1p+0f};

/* f32, degree 8 in Y, theta 5.85: |p(it) - e^(it)| <= 1.136 u; its derivative <= 6.5 u up to 5.5575. */
#define SO_F32_Y8_THETA 5.85f
#define SO_F32_Y8_THETA_DERIVATIVE 5.5575f
#define SO_F32_Y8_SCALE 0x1.debfd6p-5f /* Y = I + SCALE X */
SO_COEFFICIENTS float so_f32_y8_c[9] = {-0x1.16cb1p-1f, -0x1.bc1a32p+0f, 0x1.7642eep-1f, 0x1.9a32a6p+0f,
    0x1.7b53c8p-1f, 0x1.682cf6p-3f, 0x1.ae6be4p-6f, 0x1.693104p-9f,
    0x1.ba254cp-13f};
SO_COEFFICIENTS float so_f32_y8_s[9] = {-0x1.9f42d4p-3f, 0x1.5df4b4p-3f, 0x1.1faafap-1f, 0x1.62b15ap-2f,
    0x1.a507aap-4f, 0x1.2dd9fep-6f, 0x1.2496e4p-9f, 0x1.9d6522p-13f,
    0x1.ac648ep-17f};
SO_COEFFICIENTS float so_f32_y8_c_at[2 * SO_CENTRES + 1] = {
    0x1.d0b55p-1f, 0x1.baf6e6p-1f, 0x1.a104ccp-1f, 0x1.82e47ep-1f,
    0x1.60a5e2p-1f, 0x1.3a647ep-1f, 0x1.1048a8p-1f, 0x1.c511bcp-2f,
    0x1.62d65ap-2f, 0x1.f51adap-3f, 0x1.1a151p-3f, 0x1.b4a014p-6f,
    -0x1.662dd6p-4f, -0x1.a039eap-3f, -0x1.46dd4cp-2f, -0x1.bc06aep-2f,
    -0x1.16cb1p-1f, -0x1.4ca34cp-1f, -0x1.7e45f2p-1f, -0x1.aa469ap-1f,
    -0x1.cf0fb2p-1f, -0x1.eadf74p-1f, -0x1.fbc4b4p-1f, -0x1.ff9b8p-1f,
    -0x1.f4098cp-1f, -0x1.d67a74p-1f, -0x1.a41bc8p-1f, -0x1.59d8ep-1f,
    -0x1.e8acfp-2f, -0x1.bfb848p-3f, 0x1.bab71ap-4f, 0x1.05c426p-1f,
    0x1.fffffep-1f};
SO_COEFFICIENTS float so_f32_y8_s_at[2 * SO_CENTRES + 1] = {
    -0x1.25e816p-4f, -0x1.64bec8p-4f, -0x1.a38bccp-4f, -0x1.e1bb6ep-4f,
    -0x1.0f549ap-3f, -0x1.2ccf54p-3f, -0x1.48e916p-3f, -0x1.6332d8p-3f,
    -0x1.7b32a6p-3f, -0x1.9062f6p-3f, -0x1.a231ep-3f, -0x1.b0005cp-3f,
    -0x1.b9217p-3f, -0x1.bcd956p-3f, -0x1.ba5c8ep-3f, -0x1.b0cefap-3f,
    -0x1.9f42d4p-3f, -0x1.84b7b2p-3f, -0x1.601968p-3f, -0x1.303eeap-3f,
    -0x1.e7d24p-4f, -0x1.538346p-4f, -0x1.4165d4p-5f, 0x1.9d8578p-7f,
    0x1.2cf01ap-4f, 0x1.2746c8p-3f, 0x1.ce240cp-3f, 0x1.4687a6p-2f,
    0x1.b314dap-2f, 0x1.16edf2p-1f, 0x1.5c08d8p-1f, 0x1.a97f5ap-1f,
    0x1.fffffep-1f};

#endif
