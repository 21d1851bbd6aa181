using System.Collections.Immutable;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Protocol;

/// <summary>The tags of an object or of a bucket, in S3's bounds.</summary>
public sealed record TagSet(ImmutableSortedDictionary<string, string> Tags)
{
    public const int MaxOfObject = 10;

    public const int MaxOfBucket = 50;

    public const int MaxKeyLength = 128;

    public const int MaxValueLength = 256;

    public const string Header = "x-amz-tagging";

    private const string Reserved = "aws:";

    public static readonly TagSet Empty = new(
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal));

    /// <exception cref="S3Exception">InvalidTag: a tag that is none, or twice; InvalidArgument: too
    /// many.</exception>
    public static TagSet Make(IEnumerable<KeyValuePair<string, string>> tags, int max)
    {
        ArgumentNullException.ThrowIfNull(tags);
        ImmutableSortedDictionary<string, string>.Builder made = Empty.Tags.ToBuilder();
        foreach ((string key, string value) in tags)
        {
            if (key.Length is 0 or > MaxKeyLength || !IsText(key))
            {
                throw Invalid("The TagKey you have provided is invalid", key);
            }

            if (value.Length > MaxValueLength || !IsText(value))
            {
                throw Invalid("The TagValue you have provided is invalid", key);
            }

            if (key.StartsWith(Reserved, StringComparison.OrdinalIgnoreCase))
            {
                throw Invalid("System tags cannot be added/updated by requester", key);
            }

            if (!made.TryAdd(key, value))
            {
                throw Invalid("Cannot provide multiple Tags with the same key", key);
            }
        }

        return made.Count <= max
            ? new TagSet(made.ToImmutable())
            : throw new S3Exception(S3Error.InvalidArgument, $"There cannot be more than {max} tags.");
    }

    /// <summary>Reads the header of a put: tags as the parameters of a query.</summary>
    /// <exception cref="S3Exception">As <see cref="Make"/>; InvalidArgument: not so encoded.</exception>
    public static TagSet OfHeader(string? header)
    {
        try
        {
            return Make(QueryParameters.Parse(header ?? "").All, MaxOfObject);
        }
        catch (S3Exception wrong) when (wrong.Error == S3Error.InvalidURI)
        {
            throw S3Exception.Argument(
                Header,
                header!,
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
                + "without tag name duplicates.");
        }
    }

    private static bool IsText(string text)
    {
        try
        {
            ObjectKey.CheckText(text, "tag");
            return true;
        }
        catch (ZeroStorException)
        {
            return false;
        }
    }

    private static S3Exception Invalid(string why, string key) =>
        new S3Exception(S3Error.InvalidTag, why).With("TagKey", key);
}
