using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ZeroStor.Sealing;

/// <summary>The private keys of a vault for their owner to keep: a key file with all of them, and a recovery key, for
/// paper, with the newest. Neither is encrypted. This class reads and writes no file.
/// <para>A key file is ASCII, a line a key, in rising order:</para>
/// <code>
/// ZeroStor vault key 1
/// vault 32 hexadecimal digits
/// key GENERATION SUITE 64 hexadecimal digits
/// sum 32 hexadecimal digits: the beginning of SHA-256 over the lines above, line ends (LF) included
/// </code>
/// <para>A recovery key is <c>zs1-</c> and then, in Crockford's base 32 in groups of five, 58 bytes: suite (1), VaultId
/// (16), generation (4, big-endian), seed (32), and 5 of SHA-256 over these 53. Letters of either case, spaces and
/// hyphens anywhere are read, and O, I and L for the digits they look like.</para></summary>
public static class PrivateKeysText
{
    private const string Header = "ZeroStor vault key 1";
    private const string RecoveryPrefix = "zs1-";
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int SumBytes = 16;
    private const int CheckBytes = 5;
    private const int RecoveryBytes = 1 + Id128.Bytes + 4 + HybridKem.SeedBytes + CheckBytes;
    private const int RecoveryDigits = ((RecoveryBytes * 8) + 4) / 5;
    private const int GroupLength = 5;

    /// <summary>Far more than anybody rotates; a file that is larger is none.</summary>
    public const int MaxFileBytes = 1024 * 1024;

    /// <summary>The key file. It holds the keys: write it where only its owner reads, then zero it.</summary>
    public static byte[] ToText(PrivateKeys keys)
    {
        var lines = new MemoryStream();
        Write(lines, $"{Header}\nvault {keys.Vault}\n");
        Span<byte> seed = stackalloc byte[HybridKem.SeedBytes];
        Span<byte> hex = stackalloc byte[2 * HybridKem.SeedBytes];
        try
        {
            foreach (PrivateKey key in keys.All)
            {
                key.Seed.CopyTo(seed);
                Convert.TryToHexStringLower(seed, hex, out _);
                Write(lines, string.Create(CultureInfo.InvariantCulture, $"key {key.Generation} {key.Kem.Name} "));
                lines.Write(hex);
                lines.WriteByte((byte)'\n');
            }

            Write(lines, $"sum {SumOf(lines.GetBuffer().AsSpan(0, (int)lines.Length))}\n");
            return lines.ToArray();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
            CryptographicOperations.ZeroMemory(hex);
            CryptographicOperations.ZeroMemory(lines.GetBuffer());
        }
    }

    /// <summary>Reads a key file. Line ends may be those of any editor.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: not a key file, of another format, or damaged.</exception>
    public static PrivateKeys FromText(ReadOnlySpan<byte> ascii)
    {
        byte[] text = new byte[ascii.Length];
        int length = 0;
        foreach (byte b in ascii)
        {
            if (b != '\r')
            {
                text[length++] = b;
            }
        }

        var keys = ImmutableArray.CreateBuilder<PrivateKey>();
        try
        {
            return Parse(text.AsSpan(0, length).TrimEnd(" \t\n"u8), keys);
        }
        catch
        {
            keys.ToList().ForEach(k => k.Seed.Dispose());
            throw;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    /// <summary>The newest key, to be written down.</summary>
    public static string ToRecoveryKey(PrivateKeys keys)
    {
        Span<byte> bytes = stackalloc byte[RecoveryBytes];
        try
        {
            bytes[0] = keys.Newest.Kem.Suite;
            Id128.Write(bytes[1..], keys.Vault.Value);
            BinaryPrimitives.WriteUInt32BigEndian(bytes[(1 + Id128.Bytes)..], keys.Newest.Generation);
            keys.Newest.Seed.CopyTo(bytes.Slice(RecoveryBytes - CheckBytes - HybridKem.SeedBytes, HybridKem.SeedBytes));
            SHA256.HashData(bytes[..^CheckBytes]).AsSpan(0, CheckBytes).CopyTo(bytes[^CheckBytes..]);
            return RecoveryPrefix + Spell(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Reads a recovery key.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: not one, mistyped, or of a suite that this version does not
    /// know.</exception>
    public static PrivateKeys FromRecoveryKey(string text)
    {
        Span<byte> bytes = stackalloc byte[RecoveryBytes];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        try
        {
            if (!TryRead(text, bytes))
            {
                throw ZeroStorException.Invalid(
                    $"This is no recovery key: one begins with '{RecoveryPrefix}' and has {RecoveryDigits} "
                    + "letters and digits after it.");
            }

            SHA256.HashData(bytes[..^CheckBytes], hash);
            if (!hash[..CheckBytes].SequenceEqual(bytes[^CheckBytes..]))
            {
                throw ZeroStorException.Invalid(
                    "This recovery key is mistyped: its last letters do not fit the others. Compare it with the paper.");
            }

            HybridKem kem = HybridKem.Find(bytes[0]) ?? throw ZeroStorException.Invalid(
                $"This recovery key is of suite {bytes[0]}, which this version does not know: take a newer ZeroStor.");
            uint generation = BinaryPrimitives.ReadUInt32BigEndian(bytes[(1 + Id128.Bytes)..]);
            ReadOnlySpan<byte> seed =
                bytes.Slice(RecoveryBytes - CheckBytes - HybridKem.SeedBytes, HybridKem.SeedBytes);
            return new PrivateKeys(
                new VaultId(Id128.Read(bytes[1..])),
                [new PrivateKey(generation, kem, new Secret(seed, isLongLived: true))]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static PrivateKeys Parse(ReadOnlySpan<byte> text, ImmutableArray<PrivateKey>.Builder keys)
    {
        int lastLine = text.LastIndexOf((byte)'\n') + 1;
        if (!text.StartsWith(Encoding.ASCII.GetBytes(Header + "\n")) || lastLine == 0)
        {
            throw ZeroStorException.Invalid(
                $"This is no vault key file of ZeroStor, or of a format that this version does not know (the first line "
                + $"of one is '{Header}'): name the right file.");
        }

        if (!text[lastLine..].SequenceEqual(Encoding.ASCII.GetBytes($"sum {SumOf(text[..lastLine])}")))
        {
            throw Damaged();
        }

        VaultId? vault = null;
        foreach (Range range in text[(Header.Length + 1)..(lastLine - 1)].Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = text[(Header.Length + 1)..(lastLine - 1)][range];
            if (vault is null)
            {
                vault = ReadVault(line);
            }
            else
            {
                keys.Add(ReadKey(line));
            }
        }

        bool isInOrder = keys.Count > 0
            && Enumerable.Range(1, keys.Count - 1).All(i => keys[i].Generation > keys[i - 1].Generation);
        return vault is { } id && isInOrder ? new PrivateKeys(id, keys.ToImmutable()) : throw Damaged();
    }

    private static VaultId ReadVault(ReadOnlySpan<byte> line)
    {
        Span<byte> id = stackalloc byte[Id128.Bytes];
        return line.StartsWith("vault "u8) && TryHex(line[6..], id) ? new VaultId(Id128.Read(id)) : throw Damaged();
    }

    private static PrivateKey ReadKey(ReadOnlySpan<byte> line)
    {
        Span<byte> seed = stackalloc byte[HybridKem.SeedBytes];
        try
        {
            int seedAt = line.LastIndexOf((byte)' ') + 1;
            string[] words = Encoding.ASCII.GetString(line[..seedAt]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is not ["key", string number, string suite]
                || !uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out uint generation)
                || !TryHex(line[seedAt..], seed))
            {
                throw Damaged();
            }

            HybridKem kem = HybridKem.Find(suite) ?? throw ZeroStorException.Invalid(
                $"The vault key file holds a key of suite {suite}, which this version does not know: take a newer "
                + "ZeroStor.");
            return new PrivateKey(generation, kem, new Secret(seed, isLongLived: true));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    private static bool TryHex(ReadOnlySpan<byte> digits, Span<byte> target) =>
        digits.Length == 2 * target.Length
        && Convert.FromHexString(digits, target, out _, out _) == System.Buffers.OperationStatus.Done;

    private static string SumOf(ReadOnlySpan<byte> lines) =>
        Convert.ToHexStringLower(SHA256.HashData(lines).AsSpan(0, SumBytes));

    private static void Write(MemoryStream lines, string text) => lines.Write(Encoding.ASCII.GetBytes(text));

    private static string Spell(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        int bits = 0, held = 0, digits = 0;
        foreach (byte b in bytes)
        {
            bits = (bits << 8) | b;
            for (held += 8; held >= 5; held -= 5)
            {
                Digit((bits >> (held - 5)) & 31);
            }
        }

        if (held > 0)
        {
            Digit((bits << (5 - held)) & 31);
        }

        return text.ToString();

        void Digit(int value)
        {
            if (digits > 0 && digits % GroupLength == 0)
            {
                text.Append('-');
            }

            text.Append(Alphabet[value]);
            digits++;
        }
    }

    private static bool TryRead(string text, Span<byte> target)
    {
        string plain = text.Trim().ToLowerInvariant();
        if (!plain.StartsWith(RecoveryPrefix, StringComparison.Ordinal))
        {
            return false;
        }

        char[] digits = [.. plain[RecoveryPrefix.Length..].Where(c => c is not ('-' or ' '))];
        if (digits.Length != RecoveryDigits)
        {
            return false;
        }

        int bits = 0, held = 0, at = 0;
        foreach (char c in digits)
        {
            int digit = Alphabet.IndexOf(c switch { 'o' => '0', 'i' or 'l' => '1', _ => c }, StringComparison.Ordinal);
            if (digit < 0)
            {
                return false;
            }

            bits = ((bits << 5) | digit) & 0xfff;
            held += 5;
            if (held >= 8)
            {
                held -= 8;
                target[at++] = (byte)(bits >> held);
            }
        }

        return (bits & ((1 << held) - 1)) == 0;
    }

    private static ZeroStorException Damaged() => ZeroStorException.Invalid(
        "The vault key file is damaged, or was changed by hand: take it from a backup, or make it anew from the recovery "
        + "key (zs key import).");
}
