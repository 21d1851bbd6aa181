using System.Text.Json;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Operations;

/// <summary>Reads a bucket policy as far as it says what everybody may read. Whatever it says beyond is
/// refused: a policy that is taken and not kept would be worse than none.</summary>
internal static class BucketPolicy
{
    /// <summary>S3's bound.</summary>
    public const int MaxBytes = 20 * 1024;

    private const string Arn = "arn:aws:s3:::";

    /// <summary>What it lets everybody do in the bucket.</summary>
    /// <exception cref="S3Exception">MalformedPolicy; NotImplemented.</exception>
    public static PublicAccess Read(ReadOnlyMemory<byte> policy, string bucket)
    {
        try
        {
            using var document = JsonDocument.Parse(policy);
            foreach (JsonProperty property in Members(document.RootElement))
            {
                if (property.Name is not ("Version" or "Id" or "Statement"))
                {
                    throw NotDone($"'{property.Name}'");
                }
            }

            PublicAccess access = PublicAccess.None;
            int statements = 0;
            foreach (JsonElement statement in Each(Property(document.RootElement, "Statement")))
            {
                access |= ReadStatement(statement, bucket);
                statements++;
            }

            return statements > 0 ? access : throw Malformed("it has no statement");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter where a string is no text: bytes that are not UTF-8, half a surrogate.
            throw new S3Exception(S3Error.MalformedPolicy, "Policies must be valid JSON.", e);
        }
    }

    private static PublicAccess ReadStatement(JsonElement statement, string bucket)
    {
        foreach (JsonProperty property in Members(statement))
        {
            if (property.Name is not ("Sid" or "Effect" or "Principal" or "Action" or "Resource"))
            {
                throw NotDone($"'{property.Name}'");
            }
        }

        if (Text(Property(statement, "Effect")) != "Allow")
        {
            throw NotDone("an Effect other than Allow");
        }

        JsonElement principal = Property(statement, "Principal");
        IEnumerable<JsonElement> who = principal.ValueKind == JsonValueKind.Object
            ? Each(Property(principal, "AWS"))
            : Each(principal);
        if (who.Any(w => Text(w) != "*"))
        {
            throw NotDone("a Principal other than everybody, which access keys are for");
        }

        string[] resources = [.. Each(Property(statement, "Resource")).Select(Text)];
        PublicAccess access = PublicAccess.None;
        foreach (string action in Each(Property(statement, "Action")).Select(Text))
        {
            (PublicAccess allowed, string resource) = action switch
            {
                "s3:GetObject" => (PublicAccess.Read, $"{Arn}{bucket}/*"),
                "s3:ListBucket" => (PublicAccess.List, Arn + bucket),
                "s3:GetBucketLocation" => (PublicAccess.None, Arn + bucket),
                _ => throw NotDone($"the Action '{action}'"),
            };
            access |= resources.Contains(resource)
                ? allowed
                : throw NotDone($"a Resource other than '{resource}' with {action}");
        }

        return access;
    }

    private static JsonElement.ObjectEnumerator Members(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object
            ? element.EnumerateObject()
            : throw Malformed("something stands where an object should");

    private static JsonElement Property(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out JsonElement found)
            ? found
            : throw Malformed($"it lacks {name}");

    // What may be one or a list of them.
    private static JsonElement[] Each(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray()] : [element];

    private static string Text(JsonElement element) => element.ValueKind == JsonValueKind.String
        ? element.GetString()!
        : throw Malformed("something stands where text should");

    private static S3Exception Malformed(string why) =>
        new(S3Error.MalformedPolicy, $"{S3Error.MalformedPolicy.Sentence} In this one {why}.");

    private static S3Exception NotDone(string what) => S3Exception.NotImplemented(
        $"A policy with {what}: one may let everybody (*) s3:GetObject on the bucket's objects and "
        + "s3:ListBucket on the bucket. More");
}
