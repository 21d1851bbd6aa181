using System.Security.Cryptography;
using System.Text;

namespace ZeroStor.Sealing;

/// <summary>The fabric's master key: 256 random bits, kept in one file and nowhere else, under which vaults
/// of custody <c>fabric</c> hold their keys. Who has it and the disks has everything; who lost it has
/// nothing. Zeroed when disposed; never shown by <see cref="ToString"/> or an exception. Thread-safe.
/// <para>Its text form, for the key file, is ASCII in three lines:</para>
/// <code>
/// ZeroStor master key 1
/// id  32 hexadecimal digits
/// key 64 hexadecimal digits
/// </code>
/// <para>The id is HKDF-SHA256 (RFC 5869) of the key with a label of its own, 16 bytes: it tells keys apart
/// without showing them, and as it follows from the key it is the file's checksum, too. This class reads and
/// writes no file.</para></summary>
public sealed class MasterKey : IDisposable
{
    public const int Bytes = Secret.KeyBytes;

    private const int IdBytes = 16;
    private const int IdLine = 1;
    private const int KeyLine = 2;
    private const int Lines = 3;

    private static readonly byte[] Header = "ZeroStor master key 1"u8.ToArray();
    private static readonly byte[] IdPrefix = "id  "u8.ToArray();
    private static readonly byte[] KeyPrefix = "key "u8.ToArray();

    private MasterKey(Secret secret)
    {
        Secret = secret;
        Span<byte> id = stackalloc byte[IdBytes];
        secret.Derive(KeyPurpose.MasterKeyId, [], id);
        Id = Convert.ToHexStringLower(id);
    }

    /// <summary>Tells this key from others without showing it: 32 hexadecimal digits.</summary>
    public string Id { get; }

    internal Secret Secret { get; }

    public static MasterKey Generate(IEntropy entropy)
    {
        Span<byte> key = stackalloc byte[Bytes];
        entropy.Fill(key);
        try
        {
            return FromBytes(key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Copies <paramref name="key"/>; the caller zeroes its own bytes.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: not 32 bytes.</exception>
    public static MasterKey FromBytes(ReadOnlySpan<byte> key) =>
        key.Length == Bytes
            ? new MasterKey(new Secret(key, isLongLived: true))
            : throw ZeroStorException.Invalid($"A master key has {Bytes} bytes, not {key.Length}.");

    /// <summary>Reads the text form. Line ends may be those of any editor.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: not a key file, of another format, or damaged.
    /// </exception>
    public static MasterKey FromText(ReadOnlySpan<byte> ascii)
    {
        ReadOnlySpan<byte> text = ascii.TrimEnd("\r\n \t"u8);
        Span<Range> lines = stackalloc Range[Lines];
        int count = 0;
        foreach (Range line in text.Split((byte)'\n'))
        {
            if (count == Lines)
            {
                throw NotAKeyFile();
            }

            lines[count++] = line;
        }

        if (!text[lines[0]].TrimEnd((byte)'\r').SequenceEqual(Header) || count != Lines)
        {
            throw NotAKeyFile();
        }

        Span<byte> id = stackalloc byte[IdBytes];
        Span<byte> key = stackalloc byte[Bytes];
        try
        {
            ReadLine(text[lines[IdLine]], IdPrefix, id);
            ReadLine(text[lines[KeyLine]], KeyPrefix, key);
            MasterKey read = FromBytes(key);
            if (read.Id != Convert.ToHexStringLower(id))
            {
                read.Dispose();
                throw Damaged();
            }

            return read;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The text form, in ASCII. It holds the key: write it where only its owner reads, then zero it.
    /// </summary>
    public byte[] ToText()
    {
        Span<byte> key = stackalloc byte[Bytes];
        Span<byte> keyHex = stackalloc byte[2 * Bytes];
        try
        {
            Secret.CopyTo(key);
            Convert.TryToHexStringLower(key, keyHex, out _);
            return [.. Header, (byte)'\n', .. IdPrefix, .. Encoding.ASCII.GetBytes(Id), (byte)'\n',
                .. KeyPrefix, .. keyHex, (byte)'\n'];
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(keyHex);
        }
    }

    public void Dispose() => Secret.Dispose();

    public override string ToString() => $"master key {Id}";

    private static void ReadLine(ReadOnlySpan<byte> line, ReadOnlySpan<byte> prefix, Span<byte> target)
    {
        ReadOnlySpan<byte> digits = line.TrimEnd((byte)'\r');
        if (!digits.StartsWith(prefix)
            || digits.Length != prefix.Length + (2 * target.Length)
            || Convert.FromHexString(digits[prefix.Length..], target, out _, out _)
                != System.Buffers.OperationStatus.Done)
        {
            throw Damaged();
        }
    }

    private static ZeroStorException NotAKeyFile() => ZeroStorException.Invalid(
        "This is no master key file of ZeroStor, or of a format that this version does not know (one has "
        + $"{Lines} lines, the first of them '{Encoding.ASCII.GetString(Header)}'): name the right file.");

    private static ZeroStorException Damaged() => ZeroStorException.Invalid(
        "The master key file is damaged (its key and its id do not belong together): take it from a backup.");
}
