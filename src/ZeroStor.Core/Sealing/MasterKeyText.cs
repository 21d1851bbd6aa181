using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;

namespace ZeroStor.Sealing;

/// <summary>The text forms of a <see cref="MasterKey"/>, for its file: ASCII, and line ends may be those of any editor.
/// This class reads and writes no file.
/// <code>
/// ZeroStor master key 1
/// id  32 hexadecimal digits
/// key 64 hexadecimal digits
/// </code>
/// <para>Under a passphrase:</para>
/// <code>
/// ZeroStor master key 2
/// id  32 hexadecimal digits
/// kdf argon2id KIBIBYTES PASSES LANES SALT, the salt in 32 hexadecimal digits
/// box 120 hexadecimal digits: nonce ‖ ciphertext ‖ tag
/// </code>
/// <para>The box is AES-256-GCM under HKDF-Expand-SHA256(Argon2id(passphrase, salt), "ZeroStor 1 master key wrap" ‖ 0x00), with
/// the lines above it, each with a line feed, as AAD. Argon2id (RFC 9106, version 0x13) takes 64 MiB, 3 passes and 4
/// lanes, the RFC's second recommended choice: about a third of a second, each time that a silo starts.</para>
/// <para>The id follows from the key, so it is the checksum of the first form, too.</para></summary>
public static class MasterKeyText
{
    private const string Plain = "ZeroStor master key 1";
    private const string Protected = "ZeroStor master key 2";
    private const int IdBytes = 16;
    private const int SaltBytes = 16;
    private const int BoxBytes = Secret.KeyBytes + Secret.BoxOverheadBytes;
    private const int Version = 0x13;
    private const int Kibibytes = 64 * 1024;
    private const int Passes = 3;
    private const int Lanes = 4;

    /// <summary>What a file may ask for: 1 GiB and some seconds, so that a changed one does no harm.</summary>
    private const int MaxKibibytes = 1024 * 1024;

    private const int MaxPasses = 64;
    private const int MaxLanes = 64;

    /// <summary>The text. It holds the key, or who guesses the passphrase has it: write it where only its owner reads,
    /// then zero it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="passphrase">UTF-8; empty: none.</param>
    /// <param name="entropy">For salt and nonce.</param>
    public static byte[] Write(MasterKey key, ReadOnlySpan<byte> passphrase, IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[MasterKey.Bytes];
        Span<byte> hex = stackalloc byte[2 * MasterKey.Bytes];
        try
        {
            key.Secret.CopyTo(bytes);
            if (passphrase.IsEmpty)
            {
                Convert.TryToHexStringLower(bytes, hex, out _);
                return [.. Encoding.ASCII.GetBytes($"{Plain}\nid  {key.Id}\nkey "), .. hex, (byte)'\n'];
            }

            byte[] salt = new byte[SaltBytes];
            entropy.Fill(salt);
            byte[] head = HeadOf(key.Id, Kibibytes, Passes, Lanes, salt);
            byte[] box = new byte[BoxBytes];
            using Secret wrapping = Stretch(passphrase, salt, Kibibytes, Passes, Lanes);
            wrapping.Seal(KeyPurpose.MasterKeyWrap, [], head, entropy, bytes, box);
            return [.. head, .. Encoding.ASCII.GetBytes($"box {Convert.ToHexStringLower(box)}\n")];
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            CryptographicOperations.ZeroMemory(hex);
        }
    }

    /// <exception cref="ZeroStorException">InvalidArgument: not a key file, of another format, or damaged; or its
    /// passphrase is missing, wrong, or given to a file that has none.</exception>
    public static MasterKey Read(ReadOnlySpan<byte> ascii, ReadOnlySpan<byte> passphrase)
    {
        ReadOnlySpan<byte> text = ascii.TrimEnd("\r\n \t"u8);
        Span<Range> lines = stackalloc Range[5];
        int count = 0;
        foreach (Range line in text.Split((byte)'\n'))
        {
            lines[count++] = line;
            if (count == lines.Length)
            {
                throw NotAKeyFile();
            }
        }

        bool isPlain = Line(text, lines[0]).SequenceEqual(Encoding.ASCII.GetBytes(Plain));
        bool isProtected = Line(text, lines[0]).SequenceEqual(Encoding.ASCII.GetBytes(Protected));
        if (!(isPlain && count == 3) && !(isProtected && count == 4))
        {
            throw NotAKeyFile();
        }

        if (isPlain && !passphrase.IsEmpty)
        {
            throw ZeroStorException.Invalid(
                "The master key file is under no passphrase, and one was given: leave it out.");
        }

        Span<byte> id = stackalloc byte[IdBytes];
        ReadHex(Line(text, lines[1]), "id  "u8, id);
        return isPlain
            ? ReadPlain(Line(text, lines[2]), id)
            : ReadProtected(Line(text, lines[2]), Line(text, lines[3]), id, passphrase);
    }

    private static MasterKey ReadPlain(ReadOnlySpan<byte> line, ReadOnlySpan<byte> id)
    {
        Span<byte> key = stackalloc byte[MasterKey.Bytes];
        try
        {
            ReadHex(line, "key "u8, key);
            return Checked(key, id);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static MasterKey ReadProtected(
        ReadOnlySpan<byte> kdf, ReadOnlySpan<byte> boxLine, ReadOnlySpan<byte> id, ReadOnlySpan<byte> passphrase)
    {
        string[] words = Encoding.ASCII.GetString(kdf).Split(' ');
        if (words is not ["kdf", "argon2id", string memory, string passes, string lanes, string saltHex]
            || ReadNumber(memory, MaxKibibytes) is not { } kibibytes
            || ReadNumber(passes, MaxPasses) is not { } times
            || ReadNumber(lanes, MaxLanes) is not { } width
            || kibibytes < 8 * width)
        {
            throw Damaged();
        }

        byte[] salt = new byte[SaltBytes];
        byte[] box = new byte[BoxBytes];
        ReadHex(Encoding.ASCII.GetBytes(saltHex), [], salt);
        ReadHex(boxLine, "box "u8, box);
        if (passphrase.IsEmpty)
        {
            throw ZeroStorException.Invalid(
                "The master key file is under a passphrase: give the file that holds it with --master-key-passphrase.");
        }

        Span<byte> key = stackalloc byte[MasterKey.Bytes];
        byte[] head = HeadOf(Convert.ToHexStringLower(id), kibibytes, times, width, salt);
        using Secret wrapping = Stretch(passphrase, salt, kibibytes, times, width);
        try
        {
            return wrapping.TryOpen(KeyPurpose.MasterKeyWrap, [], head, box, key)
                ? Checked(key, id)
                : throw ZeroStorException.Invalid(
                    $"The passphrase does not open master key {Convert.ToHexStringLower(id)}, or its file was changed: "
                    + "give the right one, or take the file from a backup.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static MasterKey Checked(ReadOnlySpan<byte> key, ReadOnlySpan<byte> id)
    {
        var read = MasterKey.FromBytes(key);
        if (read.Id == Convert.ToHexStringLower(id))
        {
            return read;
        }

        read.Dispose();
        throw Damaged();
    }

    private static Secret Stretch(ReadOnlySpan<byte> passphrase, byte[] salt, int kibibytes, int passes, int lanes)
    {
        Argon2Parameters parameters = new Argon2Parameters.Builder(Argon2Parameters.Argon2id)
            .WithVersion(Version)
            .WithSalt(salt)
            .WithMemoryAsKB(kibibytes)
            .WithIterations(passes)
            .WithParallelism(lanes)
            .Build();
        var generator = new Argon2BytesGenerator();
        generator.Init(parameters);
        byte[] words = passphrase.ToArray();
        byte[] key = new byte[Secret.KeyBytes];
        try
        {
            generator.GenerateBytes(words, key);
            return new Secret(key, isLongLived: false);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(words);
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static byte[] HeadOf(string id, int kibibytes, int passes, int lanes, byte[] salt) =>
        Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"{Protected}\nid  {id}\nkdf argon2id {kibibytes} {passes} {lanes} {Convert.ToHexStringLower(salt)}\n"));

    private static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> text, Range line) => text[line].TrimEnd((byte)'\r');

    private static int? ReadNumber(string digits, int max) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        && number > 0 && number <= max && !digits.StartsWith('0')
            ? number
            : null;

    private static void ReadHex(ReadOnlySpan<byte> line, ReadOnlySpan<byte> prefix, Span<byte> target)
    {
        if (!line.StartsWith(prefix)
            || line.Length != prefix.Length + (2 * target.Length)
            || Convert.FromHexString(line[prefix.Length..], target, out _, out _) != OperationStatus.Done)
        {
            throw Damaged();
        }
    }

    private static ZeroStorException NotAKeyFile() => ZeroStorException.Invalid(
        "This is no master key file of ZeroStor, or of a format that this version does not know (one begins with the "
        + $"line '{Plain}' or '{Protected}'): name the right file.");

    private static ZeroStorException Damaged() => ZeroStorException.Invalid(
        "The master key file is damaged (its lines do not belong together): take it from a backup.");
}
