/* coefficients.h: printed by proofs/coefficients.c, which derives and certifies it; do not edit.
 *
 * exp(A) = c(X) + A s(X), X = A A, c(X) = cos sqrt(-X), s(X) = sinc sqrt(-X), A real skew with angles <= theta.
 *   so_*_p*_c, _s   element k multiplies X^k; the constant terms are 1, so that exp(0) = I exactly
 *   so_*_y*_c, _s   element k multiplies Y^k, Y = I + SCALE X, with the spectrum in [-1, 1]
 *   so_f64_y12_*_B  c (or s) = B1 + (B2 + q) q, q = B3 + B4 B4, Bj = b0 I + b1 Y + b2 Y^2 + b3 Y^3
 * THETA bounds the angles for the value, THETA_DERIVATIVE for derivatives (vjp, jvp).
 * The errors named are proved for the machine numbers below, in u = 2^-53 (f64) or 2^-24 (f32), exact arithmetic.
 * SPDX-License-Identifier: MIT */
#ifndef SO_COEFFICIENTS_H
#define SO_COEFFICIENTS_H

#ifndef SO_COEFFICIENTS /* device code says where its tables stand */
#define SO_COEFFICIENTS static const
#endif

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

#endif
