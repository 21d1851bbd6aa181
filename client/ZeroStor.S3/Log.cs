using Microsoft.Extensions.Logging;

namespace ZeroStor.S3;

/// <summary>Every line that the front end writes, with its number. Numbers are never reused.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "{RequestId}: {Operation} of {Path} was answered {Code}: {Why}")]
    public static partial void RequestFailed(
        this ILogger log, string requestId, string operation, string path, string code, string why);

    [LoggerMessage(2, LogLevel.Error, "{RequestId}: {Operation} of {Path} met a defect")]
    public static partial void RequestBroke(
        this ILogger log, Exception defect, string requestId, string operation, string path);
}
