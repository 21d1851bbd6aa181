using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.Tests.S3.Protocol;

public sealed class ConditionsTests
{
    // Half a second behind what HTTP can say.
    private static readonly DateTimeOffset Modified = new(2026, 11, 30, 12, 0, 0, 500, TimeSpan.Zero);

    private const string Before = "Mon, 30 Nov 2026 11:59:59 GMT";

    private const string Same = "Mon, 30 Nov 2026 12:00:00 GMT";

    [Theory]
    [InlineData("", "", "", "", ConditionOutcome.Holds)]
    [InlineData("\"e\"", "", "", "", ConditionOutcome.Holds)]
    [InlineData("e", "", "", "", ConditionOutcome.Holds)]
    [InlineData("\"x\", \"e\"", "", "", "", ConditionOutcome.Holds)]
    [InlineData("*", "", "", "", ConditionOutcome.Holds)]
    [InlineData("\"x\"", "", "", "", ConditionOutcome.Failed)]
    [InlineData("", "", "", Same, ConditionOutcome.Holds)]
    [InlineData("", "", "", Before, ConditionOutcome.Failed)]
    [InlineData("\"e\"", "", "", Before, ConditionOutcome.Holds)]
    [InlineData("\"x\"", "", "", Same, ConditionOutcome.Failed)]
    [InlineData("", "\"e\"", "", "", ConditionOutcome.NotModified)]
    [InlineData("", "W/\"e\"", "", "", ConditionOutcome.NotModified)]
    [InlineData("", "*", "", "", ConditionOutcome.NotModified)]
    [InlineData("", "\"x\"", "", "", ConditionOutcome.Holds)]
    [InlineData("", "", Same, "", ConditionOutcome.NotModified)]
    [InlineData("", "", Before, "", ConditionOutcome.Holds)]
    [InlineData("", "\"x\"", Same, "", ConditionOutcome.Holds)]
    [InlineData("", "\"e\"", Before, "", ConditionOutcome.NotModified)]
    [InlineData("\"e\"", "\"e\"", "", "", ConditionOutcome.NotModified)]
    [InlineData("\"x\"", "\"e\"", "", "", ConditionOutcome.Failed)]
    [InlineData("", "", "yesterday", "tomorrow", ConditionOutcome.Holds)]
    [InlineData("", "", "Monday, 30-Nov-26 12:00:00 GMT", "", ConditionOutcome.NotModified)]
    [InlineData("", "", "Mon Nov 30 12:00:00 2026", "", ConditionOutcome.NotModified)]
    [InlineData("", "", "2026-11-30T12:00:00Z", "", ConditionOutcome.NotModified)]
    public void Conditions_of_a_read_go_in_S3s_order(
        string match, string noneMatch, string modified, string unmodified, ConditionOutcome outcome)
    {
        (string Name, string Value)[] headers =
        [
            ("If-Match", match), ("If-None-Match", noneMatch), ("If-Modified-Since", modified),
            ("If-Unmodified-Since", unmodified),
        ];
        headers = [.. headers.Where(h => h.Value.Length > 0)];
        var read = ReadConditions.OfRead(Wire.Request("GET", "/b/k", headers));
        Assert.Equal(outcome, read.Judge("e", Modified));
        (string, string)[] ofCopy = [.. headers.Select(h => ("x-amz-copy-source-" + h.Name, h.Value))];
        var copy = ReadConditions.OfCopySource(Wire.Request("PUT", "/b/k", ofCopy));
        Assert.Equal(outcome, copy.Judge("e", Modified));
        var neither = ReadConditions.OfRead(Wire.Request("GET", "/b/k", ofCopy));
        Assert.Equal(ConditionOutcome.Holds, neither.Judge("e", Modified));
    }

    [Theory]
    [InlineData("", "", null, null)]
    [InlineData("\"e\"", "", "e", null)]
    [InlineData("e", "", "e", null)]
    [InlineData("", "*", null, "*")]
    [InlineData("", "\"*\"", null, "*")]
    public void Conditions_of_a_write_are_the_commits(
        string match, string noneMatch, string? ifMatch, string? ifNone)
    {
        Precondition condition = WriteConditions.OfPut(Of(match, noneMatch));
        Assert.Equal((ifMatch, ifNone), (condition.IfMatch, condition.IfNoneMatch));
    }

    [Theory]
    [InlineData("", "\"e\"")]
    [InlineData("*", "")]
    [InlineData("\"e\"", "*")]
    [InlineData("\"e\", \"f\"", "")]
    [InlineData("", "*, *")]
    public void What_S3_does_not_compare_on_a_write_is_not_implemented(string match, string noneMatch) =>
        Wire.Refuses(S3Error.NotImplemented, () => WriteConditions.OfPut(Of(match, noneMatch)));

    [Fact]
    public void A_delete_may_ask_for_a_tag_or_for_any()
    {
        Assert.Equal("e", WriteConditions.OfDelete(Of("\"e\"", "")).IfMatch);
        Assert.Equal("*", WriteConditions.OfDelete(Of("*", "")).IfMatch);
        Assert.Equal(Precondition.None, WriteConditions.OfDelete(Of("", "")));
        Wire.Refuses(S3Error.NotImplemented, () => WriteConditions.OfDelete(Of("", "*")));
    }

    [Theory]
    [InlineData("\"a\"", "a")]
    [InlineData(" W/\"a\" ", "a")]
    [InlineData("a", "a")]
    [InlineData("\"", "\"")]
    [InlineData("\"\"", "")]
    public void Tags_come_in_quotes_or_without(string text, string tag)
    {
        Assert.Equal(tag, ETags.Bare(text));
        Assert.Equal(tag, ETags.Bare(ETags.Quote(tag)));
    }

    private static ZeroStor.S3.WireRequest Of(string match, string noneMatch)
    {
        (string Name, string Value)[] headers = [("If-Match", match), ("If-None-Match", noneMatch)];
        return Wire.Request("PUT", "/b/k", [.. headers.Where(h => h.Value.Length > 0)]);
    }
}
