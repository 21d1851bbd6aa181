using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ZeroStor.Contracts;
using ZeroStor.Sealing;

namespace ZeroStor.Benchmarks;

/// <summary>What keys cost an object of 64 KiB beyond sealing it, in steady state; and what the rare steps cost.</summary>
internal static class KeysBenchmark
{
    internal static readonly Verb Verb = new(
        "keys",
        "[--rounds N] [--each N]",
        """
        Puts and gets the keys of N objects (20000) of one segment of 64 KiB, round by round (9) and in turn with the seal
        alone: a content key made or opened, a stripe key derived, a segment sealed or opened under it, against a segment
        sealed or opened under a key that is there. Both make a cipher of the key, as every object has its own. Prints
        medians in microseconds and the difference, which is what keys cost; the limit is 5. Then what opening and rotating
        a key ring and the encapsulations take.
        """,
        Run);

    private static readonly byte[] Content = new byte[Geometry.SegmentBytes];
    private static readonly byte[] Sealed = new byte[Geometry.PlainSealedBytes(Geometry.SegmentBytes)];
    private static readonly ContentId Id = new(1);
    private static readonly SealId Seal = new(2);

    private static void Run(Options options)
    {
        int rounds = options.Number("--rounds", 9);
        int each = options.Number("--each", 20_000);
        RandomNumberGenerator.Fill(Content);
        var entropy = SystemEntropy.Instance;
        using PrivateKeys own = PrivateKeys.Generate(new VaultId(7), null, entropy);
        KeyRing ring = KeyRing.Create(own, Custody.Owner, new Tick(1), entropy);
        using VaultKeys keys = ring.Unlock(own);
        using ContentKey known = keys.NewContentKey(Id, entropy, out byte[] wrapped);
        byte[] stripeKey = RandomNumberGenerator.GetBytes(MasterKey.Bytes);

        byte[] opened = new byte[Content.Length];
        Tell(
            rounds,
            each,
            "put",
            () => WithKey(stripeKey, keys.Vault, cipher => cipher.Seal(Content, Sealed)),
            () =>
            {
                using ContentKey key = keys.NewContentKey(Id, entropy, out _);
                using StripeCipher cipher = key.ForStripe(Seal, 0);
                cipher.Seal(Content, Sealed);
            });
        WithKey(stripeKey, keys.Vault, cipher => cipher.Seal(Content, Sealed));
        byte[] sealedAlone = [.. Sealed];
        using (StripeCipher cipher = known.ForStripe(Seal, 0))
        {
            cipher.Seal(Content, Sealed);
        }

        Tell(
            rounds,
            each,
            "get",
            () => WithKey(stripeKey, keys.Vault, cipher => cipher.Open(Content.Length, 0, sealedAlone, opened)),
            () =>
            {
                using ContentKey key = keys.OpenContentKey(Id, wrapped);
                using StripeCipher cipher = key.ForStripe(Seal, 0);
                cipher.Open(Content.Length, 0, Sealed, opened);
            });
        Say($"key material of a content: {wrapped.Length} bytes (limit 160)");
        double overhead = 100.0 * (Geometry.PlainSealedBytes(Geometry.MaxStripeBytes) - Geometry.MaxStripeBytes)
            / Geometry.MaxStripeBytes;
        Say($"sealing adds {overhead:f4} % at 4 MiB (limit 0.04)");
        TellRing(ring, own, entropy);
    }

    private static void WithKey(byte[] key, VaultId vault, Action<StripeCipher> act)
    {
        using var cipher = new StripeCipher(key, vault, Id, 0);
        act(cipher);
    }

    private static void TellRing(KeyRing ring, PrivateKeys own, SystemEntropy entropy)
    {
        const int Times = 200;
        foreach (HybridKem kem in HybridKem.All)
        {
            byte[] seed = new byte[HybridKem.SeedBytes];
            byte[] publicKey = new byte[kem.PublicKeyBytes];
            byte[] ciphertext = new byte[kem.CiphertextBytes];
            byte[] secret = new byte[HybridKem.SecretBytes];
            double pair = Micros(Times, () => kem.PublicKeyOf(seed, publicKey));
            double encapsulate = Micros(Times, () => kem.Encapsulate(publicKey, entropy, ciphertext, secret));
            double decapsulate = Micros(Times, () => kem.Decapsulate(seed, ciphertext, secret));
            Say($"{kem}: key pair {pair:f0} us, encapsulate {encapsulate:f0} us, decapsulate {decapsulate:f0} us");
        }

        for (int i = 1; i < 120; i++)
        {
            ring = ring.WithNextEpoch(own, new Tick(1), entropy);
        }

        using PrivateKeys next = own.WithNext(null, entropy);
        double unlock = Micros(5, () => ring.Unlock(own).Dispose()) / 1000;
        double rotate = Micros(5, () => ring.WithNextPair(next, new Tick(2), entropy)) / 1000;
        int bytes = ring.Encode().Length;
        Say($"a ring of 120 epochs (ten years): {bytes:n0} bytes, unlocked in {unlock:f0} ms, rotated in {rotate:f0} ms");
    }

    private static void Tell(int rounds, int each, string what, Action sealAlone, Action withKeys)
    {
        Micros(each / 10, sealAlone);
        Micros(each / 10, withKeys);
        var alone = new List<double>();
        var all = new List<double>();
        for (int round = 0; round < rounds; round++)
        {
            alone.Add(Micros(each, sealAlone));
            all.Add(Micros(each, withKeys));
        }

        double keysAlone = Median.Of(all) - Median.Of(alone);
        Say($"{what}: {Median.Of(alone):f2} us sealed alone, {Median.Of(all):f2} with keys: {keysAlone:f2} us (limit 5)");
    }

    private static double Micros(int times, Action action)
    {
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < times; i++)
        {
            action();
        }

        return Stopwatch.GetElapsedTime(began).TotalMicroseconds / times;
    }

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
