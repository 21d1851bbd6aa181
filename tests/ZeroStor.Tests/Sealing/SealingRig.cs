using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

/// <summary>What the sealing tests share.</summary>
internal static class SealingRig
{
    /// <summary>What target bytes hold before an opening, so that bytes left alone are told from zeroed ones.
    /// </summary>
    public const byte Dirt = 0xAA;

    public static readonly Tick Now = new(7);

    /// <summary>A vault's keys with epochs 1 to <paramref name="epochs"/>.</summary>
    public static VaultKeys Keys(int seed, int epochs = 1)
    {
        var entropy = new SeededEntropy(seed);
        using PrivateKeys own = PrivateKeys.Generate(VaultId.New(entropy), suite: null, entropy);
        return Ring(own, epochs, entropy).Unlock(own);
    }

    /// <summary>An owner's ring with epochs 1 to <paramref name="epochs"/>.</summary>
    public static KeyRing Ring(PrivateKeys own, int epochs, IEntropy entropy)
    {
        KeyRing ring = KeyRing.Create(own, Custody.Owner, Now, entropy);
        for (int i = 1; i < epochs; i++)
        {
            ring = ring.WithNextEpoch(own, Now, entropy);
        }

        return ring;
    }

    public static Secret NewSecret(IEntropy entropy) =>
        new(Bytes(entropy, Secret.KeyBytes), isLongLived: true);

    public static byte[] Bytes(IEntropy entropy, int length)
    {
        byte[] bytes = new byte[length];
        entropy.Fill(bytes);
        return bytes;
    }

    /// <summary>Whether two keys are the same: they seal alike.</summary>
    public static bool IsSameKey(ContentKey one, ContentKey other) =>
        SealOne(one).AsSpan().SequenceEqual(SealOne(other));

    public static void AssertRefused(ErrorKind kind, Action act)
    {
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(act);
        Assert.Equal(kind, refusal.Kind);
        Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>Calls <paramref name="act"/> with every copy of <paramref name="bytes"/> in which one bit is
    /// flipped.</summary>
    public static void ForEachFlippedBit(byte[] bytes, Action<byte[], int> act)
    {
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            byte[] flipped = [.. bytes];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            act(flipped, bit);
        }
    }

    /// <summary>All arrays of key length that a ZeroStor object holds, however deep.</summary>
    public static List<byte[]> KeysIn(object holder)
    {
        var found = new List<byte[]>();
        Collect(holder, found, []);
        return [.. found.Distinct()];
    }

    private static void Collect(object? value, List<byte[]> found, HashSet<object> seen)
    {
        if (value is byte[] { Length: MasterKey.Bytes } bytes)
        {
            found.Add(bytes);
        }
        else if (value is IEnumerable and not string)
        {
            foreach (object? item in (IEnumerable)value)
            {
                Collect(item, found, seen);
            }
        }
        else if (value is not null && (value is ITuple || IsOurs(value.GetType())) && seen.Add(value))
        {
            foreach (FieldInfo field in value.GetType().GetFields(
                BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public))
            {
                Collect(field.GetValue(value), found, seen);
            }
        }
    }

    private static bool IsOurs(Type type) =>
        type.Namespace?.StartsWith("ZeroStor", StringComparison.Ordinal) == true;

    private static byte[] SealOne(ContentKey key)
    {
        byte[] sealedBytes = new byte[Geometry.PlainSealedBytes(8)];
        using StripeCipher cipher = key.ForStripe(new SealId(1), 0);
        cipher.Seal("8 bytes."u8, sealedBytes);
        return sealedBytes;
    }
}
