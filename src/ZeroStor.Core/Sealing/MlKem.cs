using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Kems;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Security;

namespace ZeroStor.Sealing;

/// <summary>The parameter sets of ML-KEM that are used here, with their lengths (FIPS 203, table 3).</summary>
internal sealed record MlKemSet(string Name, int PublicKeyBytes, int CiphertextBytes)
{
    public const int SeedBytes = 64;
    public const int SecretBytes = 32;

    /// <summary>What an encapsulation draws: the message m.</summary>
    public const int RandomBytes = 32;

    public static readonly MlKemSet MlKem768 = new("ML-KEM-768", 1184, 1088);

    public static readonly MlKemSet MlKem1024 = new("ML-KEM-1024", 1568, 1568);
}

/// <summary>ML-KEM (FIPS 203) as a library does it. A private key is its 64-byte seed <c>d ‖ z</c>. Callers check
/// lengths. Thread-safe.</summary>
internal abstract class MlKem
{
    /// <summary>.NET's own where the system's OpenSSL has it (3.5 and later), else BouncyCastle's.</summary>
    public static MlKem Best { get; } = MLKem.IsSupported ? new SystemMlKem() : new BouncyMlKem();

    /// <summary>All that work on this machine.</summary>
    public static IReadOnlyList<MlKem> All { get; } =
        MLKem.IsSupported ? [new BouncyMlKem(), new SystemMlKem()] : [new BouncyMlKem()];

    /// <summary>The public key of a private one.</summary>
    public abstract void PublicKeyOf(MlKemSet set, ReadOnlySpan<byte> seed, Span<byte> publicKey);

    /// <summary>A fresh shared secret, and what carries it to the holder of the private key.</summary>
    /// <exception cref="ZeroStorException">Corrupt: not a public key (FIPS 203, 7.2).</exception>
    public abstract void Encapsulate(
        MlKemSet set, ReadOnlySpan<byte> publicKey, IEntropy entropy, Span<byte> ciphertext, Span<byte> secret);

    /// <summary>The shared secret that a ciphertext carries; one that carries none gives another secret that nobody
    /// else can know (implicit rejection).</summary>
    public abstract void Decapsulate(
        MlKemSet set, ReadOnlySpan<byte> seed, ReadOnlySpan<byte> ciphertext, Span<byte> secret);

    private static ZeroStorException NotAKey(MlKemSet set, Exception cause) => ZeroStorException.Corrupt(
        $"This is no public key of {set.Name}: take the key ring from a disk or a backup.", cause);

    /// <summary>BouncyCastle's. What it makes of a key inside is left to the collector.</summary>
    private sealed class BouncyMlKem : MlKem
    {
        public override void PublicKeyOf(MlKemSet set, ReadOnlySpan<byte> seed, Span<byte> publicKey) =>
            PrivateKey(set, seed).GetPublicKey().GetEncoded().CopyTo(publicKey);

        public override void Encapsulate(
            MlKemSet set, ReadOnlySpan<byte> publicKey, IEntropy entropy, Span<byte> ciphertext, Span<byte> secret)
        {
            MLKemPublicKeyParameters key;
            try
            {
                key = MLKemPublicKeyParameters.FromEncoding(Parameters(set), publicKey.ToArray());
            }
            catch (ArgumentException e)
            {
                throw NotAKey(set, e);
            }

            var kem = new MLKemEncapsulator(Parameters(set));
            kem.Init(new ParametersWithRandom(key, new GivenRandom(entropy)));
            kem.Encapsulate(ciphertext, secret);
        }

        public override void Decapsulate(
            MlKemSet set, ReadOnlySpan<byte> seed, ReadOnlySpan<byte> ciphertext, Span<byte> secret)
        {
            var kem = new MLKemDecapsulator(Parameters(set));
            kem.Init(PrivateKey(set, seed));
            kem.Decapsulate(ciphertext, secret);
        }

        private static MLKemPrivateKeyParameters PrivateKey(MlKemSet set, ReadOnlySpan<byte> seed)
        {
            byte[] copy = seed.ToArray();
            try
            {
                return MLKemPrivateKeyParameters.FromSeed(Parameters(set), copy);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(copy);
            }
        }

        private static MLKemParameters Parameters(MlKemSet set) =>
            set == MlKemSet.MlKem768 ? MLKemParameters.ml_kem_768 : MLKemParameters.ml_kem_1024;

        /// <summary>The port's randomness for the library.</summary>
        private sealed class GivenRandom(IEntropy entropy) : SecureRandom(null)
        {
            public override void NextBytes(byte[] buf) => entropy.Fill(buf);

            public override void NextBytes(byte[] buf, int off, int len) => entropy.Fill(buf.AsSpan(off, len));

            public override void NextBytes(Span<byte> buffer) => entropy.Fill(buffer);
        }
    }

    /// <summary>.NET's, which takes its randomness from the system alone.</summary>
    private sealed class SystemMlKem : MlKem
    {
        public override void PublicKeyOf(MlKemSet set, ReadOnlySpan<byte> seed, Span<byte> publicKey)
        {
            using MLKem key = MLKem.ImportPrivateSeed(Algorithm(set), seed);
            key.ExportEncapsulationKey(publicKey);
        }

        public override void Encapsulate(
            MlKemSet set, ReadOnlySpan<byte> publicKey, IEntropy entropy, Span<byte> ciphertext, Span<byte> secret)
        {
            MLKem key;
            try
            {
                key = MLKem.ImportEncapsulationKey(Algorithm(set), publicKey);
            }
            catch (CryptographicException e)
            {
                throw NotAKey(set, e);
            }

            using (key)
            {
                key.Encapsulate(ciphertext, secret);
            }
        }

        public override void Decapsulate(
            MlKemSet set, ReadOnlySpan<byte> seed, ReadOnlySpan<byte> ciphertext, Span<byte> secret)
        {
            using MLKem key = MLKem.ImportPrivateSeed(Algorithm(set), seed);
            key.Decapsulate(ciphertext, secret);
        }

        private static MLKemAlgorithm Algorithm(MlKemSet set) =>
            set == MlKemSet.MlKem768 ? MLKemAlgorithm.MLKem768 : MLKemAlgorithm.MLKem1024;
    }
}
