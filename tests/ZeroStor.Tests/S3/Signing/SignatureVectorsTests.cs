using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.S3;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3.Signing;

/// <summary>Signatures of others, in <c>tests/vectors/sigv4</c>: of botocore for S3, and of the public suite of
/// awslabs/aws-c-auth.</summary>
public sealed class SignatureVectorsTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_botocore_signs_is_accepted_and_not_when_a_digit_is_changed()
    {
        string[] lines = LinesOf("botocore.jsonl");
        using JsonDocument head = JsonDocument.Parse(lines[0]);
        string Said(string name) => head.RootElement.GetProperty(name).GetString()!;
        var key = new AccessKey(Said("accessKey"), Said("secretKey"), AccessRights.All, null);
        var now = DateTimeOffset.Parse(Said("now"), null);
        SignatureVerifier verifier = new(new KeyBook(key), new FakeTimeProvider(now));
        Assert.Equal(201, lines.Length);
        foreach (string line in lines.Skip(1))
        {
            WireRequest request = RequestOf(line);
            Caller caller = await verifier.VerifyAsync(request, Cancel);
            Assert.Same(key, caller.Key);
            await Wire.RefusesAsync(
                S3Error.SignatureDoesNotMatch, () => verifier.VerifyAsync(Forged(line), Cancel).AsTask());
        }
    }

    [Fact]
    public async Task The_public_suite_passes()
    {
        string[] lines = LinesOf("aws-c-auth.jsonl");
        Assert.Equal(38, lines.Length);
        foreach (string line in lines)
        {
            await new SuiteCase(line).ProveAsync(Cancel);
        }
    }

    private static string[] LinesOf(string file) =>
        File.ReadAllLines(Checkout.PathOf("tests", "vectors", "sigv4", file));

    private static WireRequest RequestOf(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement root = document.RootElement;
        return Wire.Request(
            root.GetProperty("method").GetString()!,
            root.GetProperty("target").GetString()!,
            [
                .. root.GetProperty("headers").EnumerateArray()
                    .Select(h => (h[0].GetString()!, h[1].GetString()!)),
            ]);
    }

    private static WireRequest Forged(string line)
    {
        int at = line.IndexOf("Signature=", StringComparison.Ordinal) + "Signature=".Length;
        return RequestOf(line[..at] + (line[at] == '0' ? '1' : '0') + line[(at + 1)..]);
    }
}
