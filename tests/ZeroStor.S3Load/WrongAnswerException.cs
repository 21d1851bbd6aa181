namespace ZeroStor.S3Load;

/// <summary>An answer that the truth does not allow.</summary>
internal sealed class WrongAnswerException(string message) : Exception(message)
{
    public static void Unless(bool isRight, string message)
    {
        if (!isRight)
        {
            throw new WrongAnswerException(message);
        }
    }
}
