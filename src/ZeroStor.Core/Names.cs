using System.Buffers;
using System.Text;

namespace ZeroStor;

/// <summary>What a key may be, and how keys are ordered: by the bytes of their UTF-8, which is the order of
/// their code points and not that of .NET's UTF-16 strings.</summary>
public static class ObjectKey
{
    /// <summary>The character behind every other: no key sorts behind 257 of them, which no key is as long
    /// as.</summary>
    private const string LastCharacter = "\U0010FFFF";

    /// <summary>Sorts behind every key.</summary>
    public static readonly string BehindAll =
        string.Concat(Enumerable.Repeat(LastCharacter, (Geometry.MaxKeyBytes / 4) + 1));

    /// <exception cref="ZeroStorException">InvalidArgument: empty, longer than
    /// <see cref="Geometry.MaxKeyBytes"/> bytes of UTF-8, or no text that UTF-8 can say.</exception>
    public static void Check(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        CheckText(key, "key");
        if (key.Length == 0)
        {
            throw ZeroStorException.Invalid("A key is empty: name the object with at least one character.");
        }

        int bytes = Encoding.UTF8.GetByteCount(key);
        if (bytes > Geometry.MaxKeyBytes)
        {
            throw ZeroStorException.Invalid(
                $"A key has {bytes} bytes of UTF-8: at most {Geometry.MaxKeyBytes} are allowed.");
        }
    }

    /// <summary>What a key, a prefix, a delimiter and a place to start after have in common: text that every
    /// database holds. U+0000 is none: PostgreSQL refuses it, and neither XML nor a file name can say
    /// it.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static void CheckText(string text, string what)
    {
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(rest, out Rune rune, out int taken) != OperationStatus.Done)
            {
                throw ZeroStorException.Invalid(
                    $"A {what} holds half a surrogate pair at character {text.Length - rest.Length}: "
                    + "UTF-8 cannot say it.");
            }

            if (rune.Value == 0)
            {
                throw ZeroStorException.Invalid(
                    $"A {what} holds U+0000 at character {text.Length - rest.Length}: leave it out.");
            }

            rest = rest[taken..];
        }
    }

    /// <summary>Orders two keys as the catalog does. Both must have passed <see cref="CheckText"/>.</summary>
    public static int Compare(string a, string b)
    {
        int same = a.AsSpan().CommonPrefixLength(b);
        return same == a.Length || same == b.Length ? a.Length - b.Length : Rank(a[same]) - Rank(b[same]);
    }

    /// <summary>The first text behind <paramref name="text"/>: since no key holds U+0000, none lies between.
    /// </summary>
    public static string Behind(string text) => text + '\u0001';

    /// <summary>The first text behind everything that begins with <paramref name="prefix"/>; null when
    /// nothing is. The last character that has a next one is raised; those behind it are dropped.</summary>
    public static string? BehindPrefix(string prefix)
    {
        ReadOnlySpan<char> rest = prefix;
        while (Rune.DecodeLastFromUtf16(rest, out Rune last, out int taken) == OperationStatus.Done)
        {
            rest = rest[..^taken];
            if (last.Value != 0x10FFFF)
            {
                // The code points of surrogates are no characters: UTF-8 goes from U+D7FF to U+E000.
                int next = last.Value == 0xD7FF ? 0xE000 : last.Value + 1;
                return string.Concat(rest, new Rune(next).ToString());
            }
        }

        return null;
    }

    // Surrogates stand for the code points above U+FFFF, so they sort behind every other UTF-16 unit.
    private static int Rank(char unit) => char.IsSurrogate(unit) ? unit + 0x10000 : unit;
}

/// <summary>What a vault may be called: what S3 allows of a bucket, so that any front end can show
/// it.</summary>
public static class VaultName
{
    public const int MinLength = 3;

    public const int MaxLength = 63;

    /// <summary>Gives the name back.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument, with what a name looks like.</exception>
    public static string Check(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        bool fits = name.Length is >= MinLength and <= MaxLength
            && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '.')
            && char.IsAsciiLetterOrDigit(name[0])
            && char.IsAsciiLetterOrDigit(name[^1])
            && !name.Contains("..", StringComparison.Ordinal);
        return fits
            ? name
            : throw ZeroStorException.Invalid(
                $"'{name}' is not a vault's name: {MinLength} to {MaxLength} characters of a-z, 0-9, - and . "
                + "are, with a letter or digit at both ends and no two dots in a row.");
    }
}
